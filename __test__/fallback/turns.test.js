'use strict'

// The order of one process before Postgres, where calls for several keys meet calls for one of them.

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { advisoryLocks, openProvider, usePostgres } = require('./postgres')
const { uniqueKey, LockContendedError, RedlockClosedError } = require('../support/quorlock')
const { within } = require('../support/until')

const pg = usePostgres()

// Postgres is asked for keys in an order of its own, so that either may be the one that comes first there.
for (const index of [0, 1]) {
  describe(`two keys, and key ${index} of them`, () => {
    const scene = (t) => {
      const { provider, pool } = openProvider(t, pg.url)
      const keys = [uniqueKey(), uniqueKey()]
      return { provider, pool, keys, one: keys[index], other: keys[1 - index] }
    }

    for (const how of ['acquire', 'tryAcquire']) {
      test(`${how} for both has its turn before whoever asks for one in the same moment`, async (t) => {
        const { provider, keys, one } = scene(t)
        const asked = provider[how](keys, 60_000)
        const options = { wait: 100 }
        const late = assert.rejects(within(30_000, provider.acquire(one, 60_000, options)), LockContendedError)
        const lock = await within(30_000, asked)
        assert.equal(lock.isHeld, true)
        await late
        await lock.release()
        await (await provider.acquire(one, 60_000)).release()
      })
    }

    test('who waits for both is ended by wait, by its signal and by close(), and asked nothing', async (t) => {
      const { provider, pool, keys, one } = scene(t)
      const held = provider.acquire(one, 60_000, { renew: true })
      const short = assert.rejects(within(30_000, provider.acquire(keys, 5000, { wait: 100 })), LockContendedError)
      const tried = provider.tryAcquire(keys, 5000)
      const reason = new Error('enough')
      const controller = new AbortController()
      const options = { wait: 600_000, signal: controller.signal }
      const given = assert.rejects(within(30_000, provider.acquire(keys, 5000, options)), (error) => error === reason)
      const closed = assert.rejects(
        within(30_000, provider.withLock(keys, 5000, assert.fail, { wait: 600_000 })),
        RedlockClosedError,
      )
      assert.equal(await within(30_000, tried), null)
      await short
      controller.abort(reason)
      await given
      assert.equal(await advisoryLocks(pool), 1)
      const closing = provider.close({ timeout: 600_000 })
      await closed
      await (await held).release()
      await within(30_000, closing)
    })

    test('a key that nobody has is not refused since others wait for both', async (t) => {
      const { provider, keys, one, other } = scene(t)
      const lock = await provider.acquire(one, 60_000)
      const both = provider.acquire(keys, 60_000, { wait: 600_000 })
      for (const ask of [
        () => provider.tryAcquire(other, 60_000),
        () => provider.acquire(other, 60_000, { wait: 20 }),
        () => provider.tryAcquire([uniqueKey(), other], 60_000),
      ]) {
        const mine = await within(30_000, ask())
        assert.equal(mine?.isHeld, true)
        assert.equal(await provider.tryAcquire(other, 60_000), null)
        assert.equal(await provider.tryAcquire(keys, 60_000), null)
        await mine.release()
      }
      const last = await provider.tryAcquire(other, 60_000)
      await lock.release() // not enough for both
      assert.equal(await provider.tryAcquire(other, 60_000), null)
      await last.release()
      const held = await within(30_000, both)
      for (const key of keys) assert.equal(await provider.tryAcquire(key, 60_000), null)
      await held.release()
      await (await provider.acquire(keys, 60_000)).release()
    })

    test('who leaves the lines lets the next ones in', async (t) => {
      const { provider, keys, one, other } = scene(t)
      const lock = await provider.acquire(one, 60_000)
      const controller = new AbortController()
      const reason = new Error('enough')
      const options = { wait: 600_000, signal: controller.signal }
      const both = assert.rejects(provider.acquire(keys, 5000, options), (error) => error === reason)
      const next = provider.acquire(other, 5000, { wait: 600_000 })
      controller.abort(reason)
      await both
      await (await within(30_000, next)).release()
      await lock.release()
      await (await provider.acquire(keys, 5000)).release()
    })
  })
}
