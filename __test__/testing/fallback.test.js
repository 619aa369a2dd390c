'use strict'

// What a fallback gives in a user's test: 'local' lives by the test's time, and reset() clears away all of it.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { LockContendedError, LockLostError, RedlockClosedError } = require('../..')
const { within } = require('../support/until')
const { open, outcome } = require('./support/open')

/** With its nodes down, and falling back at once. */
async function cutOff(t, options = {}) {
  const redlock = open(t, { fallback: 'local', fallbackAfter: 0, ...options })
  await redlock.failNodes(3)
  return redlock
}

test("'local' lives by the time of the test: leases, renewal, waits", async (t) => {
  const redlock = await cutOff(t)
  const lock = await redlock.acquire('a', 5000)
  assert.equal(lock.degraded, true)
  await redlock.advance(4000)
  assert.equal(lock.isHeld, true)
  assert.ok(lock.remaining <= 1000)
  const waiting = outcome(redlock.acquire('a', 1000, { wait: 60_000 }))
  const refused = outcome(redlock.acquire('a', 1000, { wait: 500 }))
  await redlock.advance(500)
  assert.ok(refused.error instanceof LockContendedError)
  await redlock.advance(500)
  assert.equal(lock.signal.reason.reason, 'expired')
  assert.equal(waiting.value.isHeld, true)
  await waiting.value.release()

  let stop
  const section = redlock.withLock('b', 5000, (held) => new Promise((resolve) => (stop = () => resolve(held.isHeld))))
  await redlock.settled()
  await redlock.advance(300_000)
  stop()
  assert.equal(await section, true)
})

test('fallbackAfter and the breaker go by the same time', async (t) => {
  const breaker = { failures: 1, probeInterval: 3000, successes: 1 }
  const redlock = open(t, { fallback: 'local', fallbackAfter: 1000, breaker })
  await redlock.failNodes(3)
  const first = outcome(redlock.acquire('a', 5000, { wait: 60_000 }))
  await redlock.advance(999)
  assert.equal(first.state, 'pending')
  await redlock.advance(1)
  assert.equal(first.value.degraded, true)
  await redlock.failNodes(0)
  await redlock.advance(2999)
  assert.equal(await redlock.withLock('b', 5000, (lock) => lock.degraded), true)
  await redlock.advance(1)
  assert.equal(await redlock.withLock('b', 5000, (lock) => lock.degraded), false)
  assert.equal(redlock.stats().breaker, 'closed')
})

test('a fallback that never answers is waited for by the same time', async (t) => {
  const never = () => new Promise(() => {})
  const redlock = await cutOff(t, { fallback: { createLock: never, withLock: never } })
  const section = outcome(redlock.withLock('a', 1000, assert.fail, { wait: 5000 }))
  await redlock.advance(5000)
  assert.equal(section.state, 'pending')
  await redlock.advance(2000)
  assert.match(section.error.message, /the fallback is away too: no answer within 7000 ms/)
})

test('close() with a timeout is over when what the fallback has given is, without any time', async (t) => {
  const redlock = await cutOff(t)
  const lock = await redlock.acquire('a', 60_000)
  let stop
  const section = redlock.withLock('b', 60_000, () => new Promise((resolve) => (stop = resolve)))
  await redlock.settled()
  const closing = redlock.close({ timeout: 10_000 })
  const closed = outcome(closing)
  stop('done')
  assert.equal(await section, 'done')
  await redlock.settled()
  assert.equal(closed.state, 'pending')
  assert.equal(await lock.release(), 'released')
  await within(20_000, closing)
})

test('the same for who shares the nodes, and not for others', async (t) => {
  const one = await cutOff(t)
  const options = { fallback: 'local', fallbackAfter: 0 }
  const other = open(t, { with: one, ...options })
  const prefixed = open(t, { with: one, ...options, keyPrefix: 'other:' })
  const elsewhere = await cutOff(t)
  await one.acquire('key', 5000)
  assert.equal(await other.tryAcquire('key', 5000), null)
  assert.equal((await prefixed.tryAcquire('key', 5000)).degraded, true)
  assert.equal((await elsewhere.tryAcquire('key', 5000)).degraded, true)
  await other.advance(5000)
  assert.equal((await other.tryAcquire('key', 5000)).degraded, true)
})

test('reset() takes away what a fallback has given, and the nodes are asked again', async (t) => {
  for (const fallback of ['local', open(t)]) {
    const redlock = await cutOff(t, { fallback, breaker: { failures: 1, probeInterval: 600_000, successes: 2 } })
    const lost = []
    redlock.on('lost', ({ key, reason }) => lost.push([key, reason]))
    const lock = await redlock.acquire('a', 60_000)
    const waiting = outcome(redlock.acquire('a', 1000, { wait: 60_000 }))
    const late = ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve('late')))
    const section = outcome(redlock.withLock('b', 60_000, late, { whenLost: 'reject' }))
    await redlock.settled()
    assert.deepEqual([redlock.stats().degraded, redlock.stats().breaker], [true, 'open'])

    await redlock.reset()
    assert.equal(lock.isHeld, false)
    assert.match(waiting.error.message, /^could not lock "a": reset\(\) was called meanwhile$/)
    assert.ok(waiting.error instanceof RedlockClosedError)
    await redlock.settled()
    assert.ok(section.error instanceof LockLostError && section.error.result === 'late')
    assert.deepEqual(lost.sort(), [
      ['a', 'closed'],
      ['b', 'closed'],
    ])
    assert.deepEqual([redlock.stats().degraded, redlock.stats().breaker], [false, 'closed'])
    for (const key of ['a', 'b']) {
      const next = await redlock.tryAcquire(key, 1000)
      assert.equal(next.degraded, false)
      await next.release()
    }
    await redlock.failNodes(3)
    assert.equal((await redlock.tryAcquire('a', 1000)).degraded, true)
  }
})
