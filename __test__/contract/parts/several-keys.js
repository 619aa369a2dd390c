'use strict'

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { allUp, open, uniqueKey, LockContendedError } = require('../../support/quorlock')
const { sleep, until } = require('../../support/until')

module.exports = (backend) => {
  const keysOf = (count) => {
    const base = uniqueKey()
    return Array.from({ length: count }, (_, i) => `${base}:${i}`)
  }
  const isFree = async (redlock, key) => {
    const lock = await redlock.tryAcquire(key, 1000)
    await lock?.release()
    return lock !== null
  }

  test('all of them are held, and all are released', async (t) => {
    const redlock = open(t, backend.nodes)
    const keys = keysOf(3)
    const lock = await redlock.acquire(keys, 5000)
    assert.deepEqual([...lock.key].sort(), keys)
    assert.equal(lock.isHeld, true)
    for (const key of keys) assert.equal(await isFree(redlock, key), false)
    assert.equal(await lock.release(), 'released')
    for (const key of keys) assert.equal(await isFree(redlock, key), true)
  })

  test('one of them taken: none is held', async (t) => {
    const redlock = open(t, backend.nodes)
    const keys = keysOf(3)
    const holder = await redlock.acquire(keys[1], 5000)
    assert.equal(await redlock.tryAcquire(keys, 5000), null)
    await assert.rejects(redlock.acquire(keys, 5000, { wait: 0 }), LockContendedError)
    await until(async () => (await isFree(redlock, keys[0])) && (await isFree(redlock, keys[2])))
    assert.equal(holder.isHeld, true)
    await holder.release()
    const lock = await redlock.tryAcquire(keys, 5000)
    assert.ok(lock)
  })

  test('waits until the last of them is free', async (t) => {
    const redlock = open(t, backend.nodes)
    const keys = keysOf(2)
    const holders = await Promise.all(keys.map((key) => redlock.acquire(key, 10_000)))
    const waiting = redlock.acquire(keys, 5000, { wait: 10_000 })
    await holders[0].release()
    await sleep(100)
    assert.equal(redlock.stats().waiting, 1)
    await holders[1].release()
    assert.equal((await waiting).isHeld, true)
  })

  test('the same key twice is one key', async (t) => {
    const redlock = open(t, backend.nodes)
    const [key] = keysOf(1)
    const lock = await redlock.acquire([key, key, key], 5000)
    assert.equal(lock.isHeld, true)
    assert.equal(await redlock.tryAcquire(key, 5000), null)
    assert.equal(await lock.release(), 'released')
  })

  test('crossing orders do not block each other', async (t) => {
    const redlock = open(t, backend.nodes)
    const keys = keysOf(3)
    let inside = 0
    const section = async (order) =>
      redlock.withLock(
        order,
        5000,
        async () => {
          inside += 1
          assert.equal(inside, 1)
          await sleep(1)
          inside -= 1
        },
        { wait: 60_000 },
      )
    const orders = Array.from({ length: 12 }, (_, i) => (i % 2 ? keys : [...keys].reverse()))
    await Promise.all(orders.map(section))
  })

  test('extended and renewed as one', async (t) => {
    const redlock = await allUp(t, backend.nodes)
    const keys = keysOf(2)
    const lock = await redlock.acquire(keys, 1000, { renew: true })
    await sleep(2200)
    assert.equal(lock.isHeld, true)
    await lock.extend(5000)
    assert.ok(lock.remaining > 4000)
    for (const server of backend.servers ?? []) {
      for (const key of keys) await until(async () => (await server.command('PTTL', key)) > 4000)
    }
  })

  test('64 keys are taken, 65 are refused before anything is sent', async (t) => {
    const redlock = open(t, backend.nodes)
    const keys = keysOf(65)
    const lock = await redlock.acquire(keys.slice(1), 5000)
    assert.equal(lock.isHeld, true)
    await assert.rejects(async () => redlock.acquire(keys, 5000), RangeError)
    assert.equal(await isFree(redlock, keys[0]), true)
  })

  test('no key at all is refused', async (t) => {
    const redlock = open(t, backend.nodes)
    await assert.rejects(
      async () => redlock.acquire([], 5000),
      (error) => error instanceof TypeError || error instanceof RangeError,
    )
  })

  test('one bad key among good ones is refused, and nothing is sent', async (t) => {
    const redlock = open(t, backend.nodes)
    const [key] = keysOf(1)
    for (const bad of ['', 7, 'a:quorlock:b']) {
      await assert.rejects(
        async () => redlock.acquire([key, bad], 5000),
        (error) => error instanceof TypeError || error instanceof RangeError,
      )
    }
    assert.equal(await isFree(redlock, key), true)
  })
}
