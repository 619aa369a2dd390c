'use strict'

// The breaker by tables: what happens when, and what it then says.

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { Breaker } = require('../../js/fallback/breaker')

const limits = { failures: 3, probeInterval: 1000, successes: 2 }

// A step is [time, what happens, what it answers, state after]. `ask` is asked with nodes that can vote, `ask down` with
// nodes that cannot; a `!` marks the outcome of a probe.
const tables = {
  'calls are let through while they succeed': [
    [0, 'ask', 'call', 'closed'],
    [1, 'succeeded', undefined, 'closed'],
    [2, 'ask down', 'call', 'closed'],
  ],
  'failures in a row open it': [
    [0, 'failed', false, 'closed'],
    [1, 'failed', false, 'closed'],
    [2, 'failed', true, 'open'],
    [3, 'ask', 'stop', 'open'],
  ],
  'a success between them begins the count anew': [
    [0, 'failed', false, 'closed'],
    [1, 'failed', false, 'closed'],
    [2, 'succeeded', undefined, 'closed'],
    [3, 'failed', false, 'closed'],
    [4, 'failed', false, 'closed'],
    [5, 'undecided', undefined, 'closed'],
    [6, 'failed', true, 'open'],
  ],
  'the interval counts from the opening, and one probe at a time goes through': [
    ...opened(10),
    [1009, 'ask', 'stop', 'open'],
    [1010, 'ask', 'probe', 'probing'],
    [1010, 'ask', 'stop', 'probing'],
    [5000, 'ask', 'stop', 'probing'],
  ],
  'no probe while the nodes are known to be down': [
    ...opened(0),
    [5000, 'ask down', 'stop', 'open'],
    [5001, 'ask', 'probe', 'probing'],
  ],
  'so many probes in a row close it, the next one at once': [
    ...opened(0),
    [1000, 'ask', 'probe', 'probing'],
    [1001, 'succeeded!', undefined, 'open'],
    [1001, 'ask', 'probe', 'probing'],
    [1002, 'succeeded!', undefined, 'closed'],
    [1003, 'ask', 'call', 'closed'],
    [1004, 'failed', false, 'closed'],
    [1005, 'failed', false, 'closed'],
    [1006, 'failed', true, 'open'],
  ],
  'a probe that fails begins the interval and the count anew': [
    ...opened(0),
    [1000, 'ask', 'probe', 'probing'],
    [1001, 'succeeded!', undefined, 'open'],
    [1002, 'ask', 'probe', 'probing'],
    [1003, 'failed!', false, 'open'],
    [2002, 'ask', 'stop', 'open'],
    [2003, 'ask', 'probe', 'probing'],
    [2004, 'succeeded!', undefined, 'open'],
    [2005, 'ask', 'probe', 'probing'],
    [2006, 'succeeded!', undefined, 'closed'],
  ],
  'a probe whose caller has gone counts for nothing, and the next may try': [
    ...opened(0),
    [1000, 'ask', 'probe', 'probing'],
    [1001, 'undecided!', undefined, 'open'],
    [1001, 'ask', 'probe', 'probing'],
  ],
  'what began before the opening changes nothing after it': [
    ...opened(0),
    [500, 'succeeded', undefined, 'open'],
    [600, 'succeeded', undefined, 'open'],
    [900, 'failed', false, 'open'],
    [1000, 'ask', 'probe', 'probing'],
    [1000, 'succeeded', undefined, 'probing'],
    [1000, 'undecided', undefined, 'probing'],
    [1000, 'failed', false, 'probing'],
  ],
}

function opened(at) {
  return [
    [at, 'failed', false, 'closed'],
    [at, 'failed', false, 'closed'],
    [at, 'failed', true, 'open'],
  ]
}

const steps = {
  ask: (breaker, now) => breaker.ask(now, true),
  'ask down': (breaker, now) => breaker.ask(now, false),
  succeeded: (breaker, now) => breaker.succeeded(now, false),
  'succeeded!': (breaker, now) => breaker.succeeded(now, true),
  failed: (breaker, now) => breaker.failed(now, false),
  'failed!': (breaker, now) => breaker.failed(now, true),
  undecided: (breaker) => breaker.undecided(false),
  'undecided!': (breaker) => breaker.undecided(true),
}

describe('the breaker', () => {
  for (const [name, table] of Object.entries(tables)) {
    test(name, () => {
      const breaker = new Breaker(limits)
      table.forEach(([now, what, answer, state], i) => {
        assert.equal(steps[what](breaker, now), answer, `step ${i}: ${what} at ${now}`)
        assert.equal(breaker.state, state, `after step ${i}: ${what} at ${now}`)
      })
    })
  }

  test('every limit may be one', () => {
    const breaker = new Breaker({ failures: 1, probeInterval: 0, successes: 1 })
    assert.equal(breaker.failed(0, false), true)
    assert.equal(breaker.ask(0, true), 'probe')
    breaker.succeeded(0, true)
    assert.equal(breaker.state, 'closed')
  })
})
