'use strict'

// Calls that wait for the nodes until this process lets go of what the fallback has given: whatever ends other waits
// ends theirs, at once.

const assert = require('node:assert/strict')
const { subscribe, unsubscribe } = require('node:diagnostics_channel')
const { describe, test } = require('node:test')
const { open, outcome } = require('../testing/support/open')
const { RedlockClosedError } = require('../support/quorlock')

/** With its nodes down; the fallback has given `key`. */
async function degraded(t, key) {
  const redlock = open(t, { fallback: 'local', fallbackAfter: 0, breaker: false })
  await redlock.failNodes(3)
  const held = await redlock.acquire(key, 60_000)
  assert.equal(held.degraded, true)
  return { redlock, held }
}

/** Calls `hear` once, when the first lock of this instance has been given back. */
function onFirstRelease(t, redlock, hear) {
  const heard = (message) => {
    if (message.redlock !== redlock) return
    unsubscribe('quorlock:release', heard)
    hear()
  }
  subscribe('quorlock:release', heard)
  t.after(() => unsubscribe('quorlock:release', heard))
}

describe('the nodes come back, and have granted what the fallback still holds', () => {
  /** A call that has been granted the key by the nodes, and gives it back; `act` is called when it has. */
  async function scene(t, act) {
    const { redlock, held } = await degraded(t, 'key')
    const controller = new AbortController()
    const options = { wait: 60_000, signal: controller.signal, fallback: 'throw' }
    const call = outcome(redlock.acquire('key', 5000, options))
    await redlock.settled()
    onFirstRelease(t, redlock, () => act({ redlock, held, controller }))
    await redlock.failNodes(0)
    await redlock.advance(1000)
    return { redlock, call }
  }

  test('drain() ends the call, which asks nobody any more', async (t) => {
    const { redlock, call } = await scene(t, ({ redlock }) => redlock.drain())
    assert.ok(call.error instanceof RedlockClosedError)
    assert.equal(redlock.stats().acquired, 1)
  })

  test('its signal ends the call, also where the key is free by then', async (t) => {
    const reason = new Error('enough')
    const { redlock, call } = await scene(t, ({ held, controller }) => {
      controller.abort(reason)
      held.release()
    })
    assert.equal(call.error, reason)
    assert.deepEqual(redlock.locks(), [])
  })
})

describe('the nodes are back, and the fallback still holds the key', () => {
  async function scene(t, options = {}) {
    const { redlock, held } = await degraded(t, 'key')
    await redlock.failNodes(0)
    const call = outcome(redlock.acquire('key', 5000, { wait: 600_000, ...options }))
    const section = outcome(redlock.withLock('key', 5000, assert.fail, { wait: 600_000, ...options }))
    await redlock.settled()
    assert.equal(call.state, 'pending')
    return { redlock, held, calls: [call, section] }
  }

  test('a signal ends the wait', async (t) => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const { redlock, calls } = await scene(t, { signal: controller.signal })
    controller.abort(reason)
    await redlock.settled()
    for (const { error } of calls) assert.equal(error, reason)
  })

  test('reset() ends the wait, and nothing of it comes later', async (t) => {
    const { redlock, held, calls } = await scene(t)
    await redlock.reset()
    for (const { error } of calls) {
      assert.ok(error instanceof RedlockClosedError)
      assert.match(error.message, /^could not lock "key": reset\(\) was called meanwhile$/)
    }
    assert.equal(held.isHeld, false)
    await redlock.advance(1000)
    assert.deepEqual(redlock.locks(), [])
  })

  for (const how of ['drain', 'close']) {
    test(`${how}() ends the wait`, async (t) => {
      const { redlock, calls } = await scene(t)
      redlock[how]()
      await redlock.settled()
      for (const { error } of calls) assert.ok(error instanceof RedlockClosedError)
    })
  }
})
