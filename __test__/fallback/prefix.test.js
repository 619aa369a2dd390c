'use strict'

// Keys come to a provider without the prefix: what that means for instances that share one, and what they do instead.

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { cutOff } = require('./away')
const { openPool, usePostgres, PostgresLockProvider } = require('./postgres')
const { open, uniqueKey } = require('../support/quorlock')

const pg = usePostgres()

const prefixes = ['a:', 'b:']

const ownOf = {
  'Postgres, a namespace for each prefix': (t) => {
    const pool = openPool(t, pg.url)
    return (keyPrefix) => {
      const provider = new PostgresLockProvider({ pool, namespace: keyPrefix })
      t.after(() => provider.close({ timeout: 0 }))
      return provider
    }
  },
  'a Redlock for each prefix': (t) => {
    const nodes = `memory:${uniqueKey()}`
    return (keyPrefix) => open(t, nodes, { keyPrefix })
  },
}

for (const [name, makerOf] of Object.entries(ownOf)) {
  test(`${name}: the same key of two prefixes is two locks`, async (t) => {
    const make = makerOf(t)
    const [a, b, again] = await Promise.all(
      [...prefixes, prefixes[0]].map((keyPrefix) => cutOff(t, { fallback: make(keyPrefix), keyPrefix })),
    )
    const key = uniqueKey()
    const nested = a.withLock(key, 20_000, () => b.withLock(key, 20_000, (lock) => [lock.degraded, lock.key]))
    assert.deepEqual(await nested, [true, key])
    const lock = await a.acquire(key, 20_000)
    assert.equal((await b.tryAcquire(key, 20_000)).degraded, true)
    assert.equal(await again.tryAcquire(key, 20_000), null)
    await lock.release()
  })
}

describe('one provider for two prefixes', () => {
  test('they exclude each other, and who asks it directly', async (t) => {
    const fallback = new PostgresLockProvider({ pool: openPool(t, pg.url) })
    t.after(() => fallback.close({ timeout: 0 }))
    const [a, b] = await Promise.all(prefixes.map((keyPrefix) => cutOff(t, { fallback, keyPrefix })))
    const key = uniqueKey()
    const lock = await a.acquire(key, 20_000)
    assert.equal(await b.tryAcquire(key, 20_000), null)
    assert.equal(await fallback.tryAcquire(key, 20_000), null)
    await lock.release()
    await a.withLock(key, 20_000, async () => {
      await assert.rejects(b.acquire(key, 20_000), (error) => error.reentrant === true)
    })
  })
})
