'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const failure = require('../../js/failure')
const { countVotes, votesFromDetail, votesFromWords, votesInWords } = require('../../js/votes')

const names = Array.from({ length: 15 }, (_, i) => `n${i}`)
const codes = ['TIMEOUT', 'CONNECT', 'TLS', 'AUTH', 'NOPERM', 'OOM', 'READONLY', 'LOADING']
const rest = ['DUPLICATE', 'NOT_MASTER', 'QUARANTINED', 'NOT_A_LOCK', 'PROTOCOL']

/** Node i's four bits, as native code packs them. */
function pack(bits) {
  const words = new Int32Array(2)
  for (const [i, value] of bits.entries()) words[i < 8 ? 0 : 1] |= value << (4 * (i % 8))
  return words
}

test('every vote in every place', () => {
  const all = [
    { vote: 'granted' },
    { vote: 'refused' },
    ...[...codes, ...rest].map((code) => ({ vote: 'faulted', code })),
  ]
  for (const [i, expected] of all.entries()) {
    for (let node = 0; node < 15; node += 1) {
      const bits = new Array(15).fill(0)
      bits[node] = i + 1
      const [low, high] = pack(bits)
      assert.deepEqual(votesFromWords(low, high, names), [{ node: `n${node}`, ...expected }])
    }
  }
})

test('in the order of the nodes, without those that have not answered', () => {
  const [low, high] = pack([1, 0, 2, 3, 1, 1, 1, 15, 1, 0, 0, 0, 0, 0, 15])
  const votes = votesFromWords(low, high, names)
  assert.deepEqual(
    votes.map(({ node }) => node),
    ['n0', 'n2', 'n3', 'n4', 'n5', 'n6', 'n7', 'n8', 'n14'],
  )
  assert.deepEqual(votes[6], { node: 'n7', vote: 'faulted', code: 'PROTOCOL' })
  assert.ok(Object.isFrozen(votes) && votes.every(Object.isFrozen))
  assert.deepEqual(votesFromWords(0, 0, names), [])
})

const detail = [
  { node: 0, vote: 1, remaining: 1839.2 },
  { node: 1, vote: 1, code: null, message: undefined },
  { node: 2, vote: 2, code: 'CONNECT', message: 'connection refused' },
]

test('from details', () => {
  const votes = votesFromDetail(detail, names)
  assert.deepEqual(votes, [
    { node: 'n0', vote: 'refused', remaining: 1839.2 },
    { node: 'n1', vote: 'refused' },
    { node: 'n2', vote: 'faulted', code: 'CONNECT', message: 'connection refused' },
  ])
  assert.ok(Object.isFrozen(votes) && votes.every(Object.isFrozen))
  assert.equal(countVotes(votes, 'refused'), 2)
  assert.equal(votesInWords(votes), 'n0 refused, 1840 ms left; n1 refused; n2 faulted: CONNECT connection refused')
})

const told = { attempts: 11, retryAfter: 1840, votes: votesFromDetail(detail, names) }
const list = '(n0 refused, 1840 ms left; n1 refused; n2 faulted: CONNECT connection refused)'

for (const [error, text] of [
  [
    failure.contended('lock:product:7', told, 3),
    `could not lock "lock:product:7": held by another on 2 of 3 nodes after 11 attempts ${list}; try again in 1840 ms`,
  ],
  [
    failure.contended('k', { attempts: 1, votes: votesFromDetail([{ node: 0, vote: 0 }], names) }, 2),
    'could not lock "k": the votes were split after 1 attempt (n0 granted)',
  ],
  [
    failure.contended('k', { attempts: 1, votes: votesFromDetail([detail[2]], names) }, 3),
    'could not lock "k": not granted before the wait ended after 1 attempt (n2 faulted: CONNECT connection refused)',
  ],
  [
    failure.contended('k', { attempts: 1, votes: [] }, 3),
    'could not lock "k": not granted before the wait ended after 1 attempt',
  ],
  [
    failure.unavailable('k', told, 3, 3),
    `could not lock "k": no quorum, 2 of 3 nodes could vote and 3 are needed after 11 attempts ${list}`,
  ],
  [
    failure.notConnected(100, told, 3, 3),
    `could not connect within 100 ms: no quorum, 2 of 3 nodes could vote and 3 are needed ${list}`,
  ],
  [failure.lost('k', 'gone', 1, []), 'lost the lock "k": its keys are gone or held by another on too many nodes'],
  [failure.notExtended('k', 'released', 1, []), 'could not extend the lock "k": it has been released'],
  [failure.closed('lock', 'k'), 'could not lock "k": this Redlock was closed, or drained to be closed'],
  [failure.closed('connect'), 'could not connect: this Redlock was closed, or drained to be closed'],
  [
    failure.closed('lock', ['a', 'b', 'c', 'd', 'e']),
    'could not lock "a", "b", "c" and 2 more: this Redlock was closed, or drained to be closed',
  ],
  [
    failure.closed('lock', 'x'.repeat(100)),
    `could not lock "${'x'.repeat(80)}…": this Redlock was closed, or drained to be closed`,
  ],
  [
    failure.reentrant('k'),
    'could not lock "k": the async context that asks already holds it, so that waiting for it would be a deadlock',
  ],
]) {
  test(`in words: ${text.slice(0, 100)}`, () => assert.equal(error.message, text))
}
