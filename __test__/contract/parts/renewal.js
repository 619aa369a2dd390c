'use strict'

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { open, uniqueKey, LockLostError } = require('../../support/quorlock')
const { outside } = require('../../support/context')
const { sleep, until } = require('../../support/until')

module.exports = (backend) => {
  test('withLock renews while the function runs', async (t) => {
    const redlock = open(t, backend.nodes)
    const other = open(t, backend.nodes)
    const key = uniqueKey()
    await redlock.withLock(key, 1000, async (lock) => {
      const end = performance.now() + 2500
      while (performance.now() < end) {
        assert.equal(lock.isHeld, true)
        assert.ok(lock.remaining <= 1000)
        assert.equal(await outside(() => other.tryAcquire(key, 1000)), null)
        await sleep(20)
      }
      assert.equal(lock.signal.aborted, false)
    })
    const after = await other.tryAcquire(key, 1000)
    assert.ok(after, 'no renewal comes after the release')
    await after.release()
  })

  test('renew: false ends with the ttl, and the outcome still passes', async (t) => {
    const redlock = open(t, backend.nodes)
    const other = open(t, backend.nodes)
    const key = uniqueKey()
    const lost = []
    redlock.on('lost', (event) => lost.push(event))
    const value = await redlock.withLock(
      key,
      150,
      async (lock) => {
        const { signal } = lock
        const successor = await outside(() => other.acquire(key, 5000, { wait: 10_000 }))
        assert.equal(lock.isHeld, false)
        await until(() => signal.aborted)
        assert.ok(signal.reason instanceof LockLostError)
        assert.equal(signal.reason.key, key)
        await successor.release()
        return 'outcome'
      },
      { renew: false },
    )
    assert.equal(value, 'outcome')
    assert.equal(lost.length, 1)
    assert.equal(lost[0].key, key)
  })

  test('renew: false as the default of the instance', async (t) => {
    const redlock = open(t, backend.nodes, { renew: false })
    await redlock.withLock(uniqueKey(), 100, async (lock) => {
      await until(() => !lock.isHeld)
    })
    await redlock.withLock(
      uniqueKey(),
      1000,
      async (lock) => {
        await sleep(2200)
        assert.equal(lock.isHeld, true)
      },
      { renew: true },
    )
  })

  test('acquire does not renew', async (t) => {
    const redlock = open(t, backend.nodes)
    const lock = await redlock.acquire(uniqueKey(), 100)
    await until(() => !lock.isHeld)
  })

  test('acquire with renew: true does', async (t) => {
    const redlock = open(t, backend.nodes)
    const lock = await redlock.acquire(uniqueKey(), 1000, { renew: true })
    await sleep(2500)
    assert.equal(lock.isHeld, true)
    assert.equal(await lock.release(), 'released')
  })

  test('maxHold ends the renewal, and says so', async (t) => {
    const redlock = open(t, backend.nodes, { maxHold: 400 })
    const other = open(t, backend.nodes)
    const key = uniqueKey()
    const lost = []
    redlock.on('lost', (event) => lost.push(event))
    await redlock.withLock(key, 200, async (lock) => {
      const { signal } = lock
      const successor = await outside(() => other.acquire(key, 5000, { wait: 10_000 }))
      assert.equal(lock.isHeld, false)
      await until(() => signal.aborted)
      await successor.release()
    })
    assert.deepEqual(
      lost.map(({ key, reason }) => ({ key, reason })),
      [{ key, reason: 'maxHold' }],
    )
  })

  test('a lock that is extended by hand is renewed from there', async (t) => {
    const redlock = open(t, backend.nodes)
    const lock = await redlock.acquire(uniqueKey(), 1000, { renew: true })
    await lock.extend(3000)
    assert.ok(lock.remaining > 1000, String(lock.remaining))
    await sleep(4000)
    assert.equal(lock.isHeld, true)
  })
}
