'use strict'

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { open, elsewhere, uniqueKey, LockContendedError } = require('../../support/quorlock')
const { timed, until } = require('../../support/until')

module.exports = (backend) => {
  async function held(t, ttl = 20_000) {
    const redlock = open(t, backend.nodes, elsewhere)
    const key = uniqueKey()
    const holder = await redlock.acquire(key, ttl)
    return { redlock, key, holder, other: open(t, backend.nodes) }
  }

  test('gets the lock soon after the release', async (t) => {
    const { key, holder, other } = await held(t)
    const waiting = other.acquire(key, 5000, { wait: 30_000 })
    await until(() => other.stats().waiting === 1)
    const released = performance.now()
    await holder.release()
    const lock = await waiting
    assert.ok(performance.now() - released < 5000)
    assert.equal(lock.isHeld, true)
    assert.equal(other.stats().waiting, 0)
  })

  test('gets the lock of a holder that vanished, once its ttl has passed', async (t) => {
    const { key, other } = await held(t, 300)
    const { value: lock, ms } = await timed(() => other.acquire(key, 5000, { wait: 30_000 }))
    assert.equal(lock.isHeld, true)
    assert.ok(lock.attempts > 1)
    assert.ok(ms < 5000, `${ms} ms`)
  })

  test('wait ends after that time, not before', async (t) => {
    const { key, other } = await held(t)
    const { error, ms } = await timed(() => other.acquire(key, 5000, { wait: 1000 }))
    assert.ok(error instanceof LockContendedError)
    assert.ok(ms >= 950 && ms < 10_000, `${ms} ms`)
    assert.ok(error.attempts > 1, `${error.attempts} rounds`)
    assert.ok(error.retryAfter > 5000 && error.retryAfter <= 20_000, String(error.retryAfter))
  })

  test('retryCount is the number of rounds after the first', async (t) => {
    const { key, other } = await held(t)
    // The rounds have the sum of the delays, and no more.
    const options = { retryDelay: 200, retryDelayMax: 200 }
    for (const retryCount of [0, 1, 3]) {
      const { error, ms } = await timed(() => other.acquire(key, 5000, { ...options, retryCount }))
      assert.ok(error instanceof LockContendedError)
      assert.equal(error.attempts, retryCount + 1)
      // Each delay is drawn from its upper half.
      assert.ok(ms >= retryCount * 100 - 2, `${ms} ms for ${retryCount} delays`)
      assert.ok(ms < 6000, `${ms} ms`)
    }
  })

  test('the delays double', async (t) => {
    const { key, other } = await held(t)
    const { error, ms } = await timed(() =>
      other.acquire(key, 5000, { retryCount: 4, retryDelay: 20, retryDelayMax: 1000 }),
    )
    assert.equal(error.attempts, 5)
    // 20 + 40 + 80 + 160, from the upper half of each.
    assert.ok(ms >= 148, `${ms} ms`)
  })

  for (const once of [{ wait: 0 }, { retryCount: 0 }]) {
    test(`${JSON.stringify(once)} is one round`, async (t) => {
      const { key, other } = await held(t)
      const { error, ms } = await timed(() => other.acquire(key, 5000, once))
      assert.equal(error.code, 'ERR_LOCK_CONTENDED')
      assert.equal(error.attempts, 1)
      assert.ok(ms < 3000, `${ms} ms`)
    })
  }

  test('settings of the instance, and a call that overrides them', async (t) => {
    const { key } = await held(t)
    const once = open(t, backend.nodes, { retryCount: 0 })
    const first = await timed(() => once.acquire(key, 5000))
    assert.equal(first.error.attempts, 1)
    const second = await timed(() => once.acquire(key, 5000, { retryCount: 2, retryDelay: 200, retryDelayMax: 200 }))
    assert.equal(second.error.attempts, 3)
    const brief = open(t, backend.nodes, { wait: 100 })
    const third = await timed(() => brief.acquire(key, 5000))
    assert.ok(third.ms >= 80 && third.ms < 2000, `${third.ms} ms`)
  })

  test('tryAcquire never waits', async (t) => {
    const { key, other } = await held(t)
    const { value, ms } = await timed(() => other.tryAcquire(key, 5000))
    assert.equal(value, null)
    assert.ok(ms < 3000, `${ms} ms`)
  })

  for (const options of [
    { wait: -1 },
    { wait: 1.5 },
    { retryCount: -1 },
    { retryDelay: 0 },
    { wait: '5' },
    { waits: 5 },
  ]) {
    test(`${JSON.stringify(options)} is refused`, async (t) => {
      const redlock = open(t, backend.nodes)
      const key = uniqueKey()
      await assert.rejects(
        async () => redlock.acquire(key, 5000, options),
        (error) => error instanceof TypeError || error instanceof RangeError,
      )
      assert.equal(redlock.stats().acquired, 0)
    })
  }
}
