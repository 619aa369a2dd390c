'use strict'

// Who goes on waiting for the nodes when the breaker opens, by what is known of them then.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { QuorumUnavailableError } = require('../../js/errors')
const { Patience } = require('../../js/fallback/patience')

const names = ['n0', 'n1', 'n2']
const clock = { now: () => 0, after: () => () => {} }

function givesUp(states, codes) {
  const engine = { stats: () => ({ nodes: states.map((state) => ({ state })) }) }
  const patience = new Patience({ engine, clock, settings: { names, native: { quorum: 2 } } })
  const attempt = patience.begin(1000, null)
  const votes = codes.map((code, i) => ({
    node: names[i],
    ...(code ? { vote: 'faulted', code } : { vote: 'granted' }),
  }))
  patience.giveUp(new QuorumUnavailableError('no quorum', { votes }))
  return attempt.isGivenUp
}

const up = ['up', 'up', 'up']
for (const [what, states, codes, expected] of [
  ['nodes are down', ['down', 'down', 'up'], ['CONNECT', 'CONNECT', null], true],
  ['nodes are in quarantine', ['quarantined', 'down', 'up'], ['QUARANTINED', 'CONNECT', null], true],
  ['nodes that are up say that they are out of memory', up, ['OOM', 'OOM', null], true],
  ['nodes that are up say that they may not', up, ['NOPERM', 'OOM', 'NOPERM'], true],
  ['one is down, and one says so', ['down', 'up', 'up'], ['CONNECT', 'OOM', null], true],
  ['one says so, and the others are silent', up, ['OOM', 'TIMEOUT', 'TIMEOUT'], false],
  ['nodes that are up are silent', up, ['TIMEOUT', 'TIMEOUT', 'TIMEOUT'], false],
  ['nodes are connected to', ['connecting', 'connecting', 'up'], ['CONNECT', 'CONNECT', null], false],
  ['a key is something else', up, ['NOT_A_LOCK', 'NOT_A_LOCK', 'NOT_A_LOCK'], false],
]) {
  test(`${what}: ${expected ? 'nobody waits any more' : 'who waits goes on'}`, () => {
    assert.equal(givesUp(states, codes), expected)
  })
}
