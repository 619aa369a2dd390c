'use strict'

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { allUp, open, uniqueKey, LockLostError } = require('../../support/quorlock')
const { until } = require('../../support/until')

module.exports = (backend) => {
  test('longer', async (t) => {
    const redlock = await allUp(t, backend.nodes)
    const key = uniqueKey()
    const lock = await redlock.acquire(key, 1000)
    assert.equal(await lock.extend(20_000), undefined)
    assert.ok(lock.remaining > 15_000 && lock.remaining <= 20_000, String(lock.remaining))
    assert.equal(lock.isHeld, true)
    for (const server of backend.servers ?? []) {
      await until(async () => (await server.command('PTTL', key)) > 15_000, { what: 'the node has the longer ttl' })
    }
  })

  test('again and again, each from its own moment', async (t) => {
    const redlock = open(t, backend.nodes)
    const lock = await redlock.acquire(uniqueKey(), 4000)
    for (let i = 0; i < 3; i++) {
      await until(() => lock.remaining < 3500)
      await lock.extend()
      assert.ok(
        lock.remaining > 3500 && lock.remaining <= 4000,
        `without an argument, the ttl again: ${lock.remaining}`,
      )
    }
  })

  test('shorter ends the handle sooner, never the key of a successor', async (t) => {
    const redlock = open(t, backend.nodes)
    const lock = await redlock.acquire(uniqueKey(), 20_000)
    await lock.extend(100)
    assert.ok(lock.remaining <= 100, String(lock.remaining))
    await until(() => !lock.isHeld)
    assert.equal(lock.remaining, 0)
    assert.equal(lock.signal.aborted, true)
    assert.ok(lock.signal.reason instanceof LockLostError)
  })

  test('several at once', async (t) => {
    const redlock = open(t, backend.nodes)
    const lock = await redlock.acquire(uniqueKey(), 1000)
    await Promise.all([lock.extend(5000), lock.extend(6000), lock.extend(7000)])
    assert.ok(lock.remaining > 4000)
    assert.equal(await lock.release(), 'released')
  })

  test('not after a release', async (t) => {
    const redlock = open(t, backend.nodes)
    const lock = await redlock.acquire(uniqueKey(), 5000)
    await lock.release()
    await assert.rejects(lock.extend(5000), (error) => {
      assert.ok(error instanceof LockLostError)
      assert.equal(error.code, 'ERR_LOCK_LOST')
      assert.equal(error.key, lock.key)
      return true
    })
    assert.equal(lock.isHeld, false)
  })

  test('not after the end, also when nobody else came', async (t) => {
    const redlock = open(t, backend.nodes)
    const lock = await redlock.acquire(uniqueKey(), 50)
    await until(() => !lock.isHeld)
    await assert.rejects(lock.extend(5000), LockLostError)
    assert.equal(lock.isHeld, false)
  })

  test('not when another holds it, and the other is left alone', async (t) => {
    const redlock = open(t, backend.nodes)
    const key = uniqueKey()
    const lock = await redlock.acquire(key, 50)
    const other = await redlock.acquire(key, 5000, { wait: 10_000 })
    await assert.rejects(lock.extend(5000), LockLostError)
    assert.ok(other.isHeld && other.remaining > 3000)
  })

  for (const [what, ttl] of [
    ['a string', '500'],
    ['a fraction', 50.5],
    ['less than 10', 9],
    ['more than maxTtl', 60_001],
    ['something that is not a number', Number.NaN],
  ]) {
    test(`not by ${what}`, async (t) => {
      const redlock = open(t, backend.nodes)
      const lock = await redlock.acquire(uniqueKey(), 5000)
      await assert.rejects(
        async () => lock.extend(ttl),
        (error) => error instanceof TypeError || error instanceof RangeError,
      )
      assert.ok(lock.isHeld && lock.remaining > 4000)
    })
  }
}
