'use strict'

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { open, keysLeft, uniqueKey } = require('../../support/quorlock')
const { sleep, until } = require('../../support/until')

/** What is looked at is that all is right, not that it is so within a quarter of a second, on a busy machine too. */
const PATIENT = { nodeTimeout: 5000 }

module.exports = (backend) => {
  test('1,000 locks on distinct keys at once', async (t) => {
    const redlock = open(t, backend.nodes, PATIENT)
    await redlock.connect()
    const base = uniqueKey('many')
    const locks = await Promise.all(Array.from({ length: 1000 }, (_, i) => redlock.acquire(`${base}:${i}`, 30_000)))
    assert.equal(new Set(locks.map((lock) => lock.id)).size, 1000)
    assert.ok(locks.every((lock) => lock.isHeld))
    assert.equal(redlock.stats().held, 1000)
    assert.equal(redlock.locks().length, 1000)
    const results = await Promise.all(locks.map((lock) => lock.release()))
    assert.ok(results.every((result) => result === 'released'))
    assert.equal(redlock.stats().held, 0)
    for (const server of backend.servers ?? []) {
      await until(async () => (await keysLeft(server, `${base}*`)).length === 0)
    }
  })

  test('among many that are released at once, each is told what became of it', async (t) => {
    const redlock = open(t, backend.nodes, PATIENT)
    await redlock.connect()
    const base = uniqueKey('mixed')
    const short = await redlock.acquire(`${base}:short`, 2000)
    const locks = await Promise.all(Array.from({ length: 70 }, (_, i) => redlock.acquire(`${base}:${i}`, 30_000)))
    const several = await redlock.acquire([`${base}:x`, `${base}:y`], 30_000)
    await until(() => !short.isHeld)
    const other = await redlock.acquire(`${base}:short`, 30_000)
    const results = await Promise.all([...locks, short, several].map((lock) => lock.release()))
    assert.deepEqual(results.slice(-2), ['expired', 'released'])
    assert.deepEqual(new Set(results.slice(0, -2)), new Set(['released']))
    assert.equal(other.isHeld, true)
    for (const server of backend.servers ?? []) {
      await until(async () => (await keysLeft(server, `${base}*`)).join() === `${base}:short`)
    }
    assert.equal(await other.release(), 'released')
  })

  test('1,000 renewed locks live on', async (t) => {
    const redlock = open(t, backend.nodes)
    const base = uniqueKey('renewed')
    const locks = await Promise.all(
      Array.from({ length: 1000 }, (_, i) => redlock.acquire(`${base}:${i}`, 4000, { renew: true, wait: 20_000 })),
    )
    await sleep(5000)
    assert.equal(locks.filter((lock) => lock.isHeld).length, 1000)
    await Promise.all(locks.map((lock) => lock.release()))
  })

  test('50 contend for one key, one is inside', async (t) => {
    const instances = [open(t, backend.nodes), open(t, backend.nodes)]
    const key = uniqueKey('one')
    let inside = 0
    let most = 0
    let entered = 0
    await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        instances[i % 2].withLock(
          key,
          5000,
          async () => {
            inside += 1
            entered += 1
            most = Math.max(most, inside)
            await sleep(1)
            inside -= 1
          },
          { wait: 120_000, retryDelay: 5, retryDelayMax: 20 },
        ),
      ),
    )
    assert.equal(most, 1)
    assert.equal(entered, 50)
  })
}
