'use strict'

// The checker finds what is planted, and nothing else; what a recorder writes is what the checker reads.

const fs = require('node:fs')
const { test } = require('node:test')
const assert = require('node:assert/strict')
const { check, readRecords } = require('../support/checker')
const { Recorder, recordsOf } = require('../support/recorder')

/** One event: `at` and `until` in microseconds. */
const event = (at, what, hold, until = at, { key = 'key', token } = {}) => ({
  ...{ at, what, holder: `process ${hold}`, hold, key, id: `id ${hold}`, token, until },
})
const kinds = (events) => check(events).faults.map(({ kind }) => kind)

test('holds that follow each other are sound', () => {
  const events = [
    event(10, 'granted', 1, 100, { token: 5 }),
    event(50, 'releasing', 1, 100, { token: 5 }),
    event(51, 'granted', 2, 151, { token: 6 }),
    event(151, 'granted', 3, 251, { token: 9 }),
    event(152, 'lost', 2, 152, { token: 6 }),
  ]
  assert.deepEqual(kinds(events), [])
  assert.deepEqual(
    check(events).holds.map(({ from, to }) => [from, to]),
    [
      [10, 50],
      [51, 151],
      [151, 251],
    ],
  )
})

test('two that were valid at once', () => {
  const { faults } = check([event(10, 'granted', 1, 100), event(99, 'granted', 2, 200)])
  assert.deepEqual(
    faults.map(({ kind, key }) => ({ kind, key })),
    [{ kind: 'overlap', key: 'key' }],
  )
  assert.match(faults[0].text, /process 1 .*10 to 100 µs.*process 2 .*99 to 200 µs/)
})

test('one that was valid within another, and the one after both', () => {
  const events = [
    event(0, 'granted', 1, 1000),
    event(10, 'granted', 2, 20),
    event(500, 'granted', 3, 600),
    event(1000, 'granted', 4, 1100),
  ]
  assert.deepEqual(kinds(events), ['overlap', 'overlap'])
})

test('one that was valid for longer than it was granted for', () => {
  const renewed = [event(10, 'granted', 1, 100), event(90, 'held', 1, 300), event(200, 'granted', 2, 300)]
  assert.deepEqual(kinds(renewed), ['overlap'])
  const valid = [event(10, 'granted', 1, 100), event(200, 'granted', 2, 300), event(250, 'releasing', 1, 400)]
  assert.deepEqual(kinds(valid), ['overlap'])
  const expired = [event(10, 'granted', 1, 100), event(200, 'granted', 2, 300), event(250, 'releasing', 1)]
  assert.deepEqual(kinds(expired), [])
})

test('one that was lost before its time', () => {
  const events = [event(10, 'granted', 1, 100), event(20, 'held', 1, 100), event(40, 'lost', 1)]
  assert.deepEqual(kinds([...events, event(41, 'granted', 2, 141)]), [])
  // When exactly it was lost nobody knows: surely not before it was last seen.
  const sooner = (at) => [...events.slice(0, 2), event(at, 'granted', 2, 141), event(40, 'lost', 1)]
  assert.deepEqual(kinds(sooner(21)), [])
  assert.deepEqual(kinds(sooner(19)), ['overlap'])
})

test('one that was lost before its time, and looked at only afterwards', () => {
  const found = (reason) => [
    event(10, 'granted', 1, 100),
    event(50, 'granted', 2, 99),
    { ...event(200, 'lost', 1), reason },
  ]
  assert.deepEqual(kinds(found('gone')), [])
  assert.deepEqual(kinds(found('expired')), ['overlap'])
  assert.deepEqual(kinds(found()), ['overlap'])
})

test('a handle that is lost is written down by itself', (t) => {
  const folder = recordsOf(t)
  const recorder = new Recorder(folder, 'one')
  const controller = new AbortController()
  const lock = { key: 'key', id: 'f'.repeat(32), remaining: 5000, signal: controller.signal }
  recorder.granted(lock)
  lock.remaining = 0
  controller.abort(Object.assign(new Error('lost'), { reason: 'gone' }))
  recorder.close()
  assert.deepEqual(
    readRecords(folder).map(({ what, reason }) => ({ what, reason })),
    [
      { what: 'granted', reason: undefined },
      { what: 'lost', reason: 'gone' },
    ],
  )
})

test('other keys are another matter', () => {
  const events = [event(10, 'granted', 1, 100, { key: 'a' }), event(20, 'granted', 2, 100, { key: 'b' })]
  assert.deepEqual(kinds(events), [])
  events.push(event(30, 'granted', 3, 90, { key: ['b', 'c', 'a'] }))
  assert.deepEqual(
    check(events).faults.map(({ kind, key }) => `${kind} ${key}`),
    ['overlap a', 'overlap b'],
  )
})

test('a token that is smaller than an earlier one, and one that is had twice', () => {
  const of = (...tokens) => tokens.map((token, i) => event(i * 100, 'granted', i + 1, i * 100 + 50, { token }))
  assert.deepEqual(kinds(of(1, 2, 3)), [])
  assert.deepEqual(kinds(of(1, 3, 2, 4)), ['disorder'])
  assert.deepEqual(kinds(of(9, 2, 3)), ['disorder', 'disorder'])
  assert.deepEqual(kinds(of(1, 2, 2)), ['double'])
  assert.deepEqual(kinds(of(1, 2, 1)), ['double', 'disorder'])
})

test('one that had ended when it was written down has no place in the order, but its token counts', () => {
  const late = (token) => [
    event(100, 'granted', 2, 200, { token: 8 }),
    event(150, 'granted', 1, 150, { token }),
    event(200, 'granted', 3, 300, { token: 9 }),
  ]
  assert.deepEqual(kinds(late(7)), [])
  assert.deepEqual(kinds(late(8)), ['double'])
})

test('one that was lost, and valid again', () => {
  assert.deepEqual(kinds([event(10, 'granted', 1, 100), event(100, 'lost', 1), event(101, 'held', 1)]), [])
  assert.deepEqual(kinds([event(10, 'granted', 1, 100), event(100, 'lost', 1), event(101, 'held', 1, 200)]), [
    'revival',
  ])
})

test('an event of nobody is a mistake in the test', () => {
  assert.throws(() => check([event(10, 'releasing', 1)]), /never granted/)
})

test('what recorders write is read in the order of its time', async (t) => {
  const folder = recordsOf(t)
  const [one, other] = [new Recorder(folder, 'one'), new Recorder(folder, 'other')]
  const lock = (remaining, token) => ({ key: 'key', id: 'f'.repeat(32), token, remaining })
  const first = lock(5000, 1)
  const second = lock(5000, 2)
  const lines = await one.section(first, async (held) => {
    other.granted(second)
    one.held(held)
    other.held(second)
    return 'done'
  })
  assert.equal(lines, 'done')
  second.remaining = 0
  other.lost(second)
  const third = lock(1000, 3)
  await assert.rejects(
    other.section(third, () => Promise.reject(new Error('mine'))),
    /mine/,
  )
  assert.throws(() => one.lost(third), /never granted/)
  fs.appendFileSync(one.path, '{"at":') // killed while it wrote
  const events = readRecords(folder)
  assert.deepEqual(
    events.map(({ what, holder }) => `${what} ${holder}`),
    [
      ...['granted one', 'granted other', 'held one', 'held other', 'releasing one'],
      ...['lost other', 'granted other', 'releasing other'],
    ],
  )
  assert.ok(events.every(({ at }, i) => i === 0 || at >= events[i - 1].at))
  assert.ok(Math.abs(events[0].until - events[0].at - 5_000_000) <= 1)
  assert.deepEqual(
    check(events).faults.map(({ kind }) => kind),
    ['overlap'],
  )
  for (const recorder of [one, other]) recorder.close()
})
