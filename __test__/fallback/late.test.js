'use strict'

// Locks that were granted, and whose time was over when the answer came: they are given back, and never handed out.

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { setTimeout: sleep } = require('node:timers/promises')
const { cutOff } = require('./away')
const { advisoryLocks, openPool, usePostgres, PostgresLockProvider } = require('./postgres')
const { uniqueKey, LockContendedError, QuorumUnavailableError } = require('../support/quorlock')
const { until, within } = require('../support/until')

const pg = usePostgres()

const TTL = 300
const LATE = TTL + 100

/** A provider that hears of its first `count` grants too late. */
function slow(t, mode, count) {
  const pool = openPool(t, pg.url)
  let left = count
  const connect = async () => {
    const client = await pool.connect()
    const query = async (text, values) => {
      const answer = await client.query(text, values)
      if (/pg_try_advisory/.test(text) && left > 0) {
        left -= 1
        await sleep(LATE)
      }
      return answer
    }
    const own = { query, release: (isBroken) => client.release(isBroken) }
    return Object.assign(own, { on: client.on.bind(client), off: client.off.bind(client) })
  }
  const provider = new PostgresLockProvider({ pool: { connect, query: pool.query }, mode })
  return { provider, pool, isFree: () => advisoryLocks(pool).then((n) => n === 0) }
}

const isTimeout = (error) =>
  error instanceof QuorumUnavailableError && error.votes.length === 1 && error.votes[0].code === 'TIMEOUT'

for (const mode of ['session', 'transaction']) {
  describe(`Postgres, ${mode} form`, () => {
    test('acquire asks again while its wait lasts', async (t) => {
      const { provider, isFree } = slow(t, mode, 1)
      const lock = await within(30_000, provider.acquire(uniqueKey(), TTL, { wait: 20_000, renew: true }))
      assert.equal(lock.isHeld, true)
      assert.equal(lock.signal.aborted, false)
      await lock.release()
      assert.ok(await isFree())
    })

    test('acquire is refused when its wait is over by then', async (t) => {
      const { provider, isFree } = slow(t, mode, Infinity)
      const asked = provider.acquire(uniqueKey(), TTL, { wait: 0 })
      await assert.rejects(within(30_000, asked), (error) => {
        assert.match(error.message, /it was granted, but expired before/)
        return error instanceof LockContendedError
      })
      assert.ok(await isFree())
    })

    test('tryAcquire says what it says of nodes that answer so late: nobody has, in time', async (t) => {
      const { provider, isFree } = slow(t, mode, 2)
      await assert.rejects(within(30_000, provider.tryAcquire(uniqueKey(), TTL)), isTimeout)
      const lock = provider.createLock(uniqueKey(), { ttl: TTL })
      await assert.rejects(within(30_000, lock.tryAcquire()), isTimeout)
      assert.equal(lock.isHeld, false)
      assert.ok(await isFree())
    })
  })
}

describe('a provider of the user', () => {
  /** A handle whose time is over already, or not. */
  const handle = (isHeld, release) => {
    const common = { id: 'inner', extend: assert.fail, release }
    return { ...common, isHeld, remaining: isHeld ? 60_000 : 0, signal: new AbortController().signal }
  }

  /** Its first `count` grants are over when they come. */
  function slowly(count) {
    const seen = { given: 0, released: 0 }
    const give = async () => {
      seen.given += 1
      return handle(seen.given > count, async () => (seen.released += 1))
    }
    return { createLock: assert.fail, withLock: assert.fail, acquire: give, tryAcquire: give, seen }
  }

  test('is asked again, and each such lock is given back', async (t) => {
    const provider = slowly(2)
    const redlock = await cutOff(t, { fallback: provider })
    const lost = []
    redlock.on('lost', (event) => lost.push(event))
    const lock = await redlock.acquire(uniqueKey(), TTL, { wait: 20_000 })
    assert.equal(lock.isHeld, true)
    assert.deepEqual(provider.seen, { given: 3, released: 2 })
    assert.deepEqual(lost, [])
  })

  test('counts as away where it goes on like that; the process is not kept from its other work', async (t) => {
    const provider = slowly(Infinity)
    const redlock = await cutOff(t, { fallback: provider })
    const isSaid = (error) => {
      assert.match(error.message, /the fallback is away too: its lock had expired when it came$/)
      return error instanceof QuorumUnavailableError && error.cause.code === 'TIMEOUT'
    }
    await assert.rejects(redlock.tryAcquire(uniqueKey(), TTL), isSaid)
    assert.deepEqual(provider.seen, { given: 1, released: 1 })
    const controller = new AbortController()
    const long = redlock.acquire(uniqueKey(), TTL, { wait: 600_000, signal: controller.signal })
    const refused = assert.rejects(long, (error) => error === controller.signal.reason)
    await until(() => provider.seen.given > 2) // by a timer
    controller.abort()
    await refused
    await assert.rejects(within(30_000, redlock.acquire(uniqueKey(), TTL, { wait: 50 })), isSaid)
  })
})

describe('a provider that has only createLock and withLock', () => {
  /** Grants at once, and answers `delays[i]` ms later; `lease.until` is when its lock ends. */
  function distant(delays) {
    const lease = { until: 0, asked: 0 }
    const createLock = (_key, { ttl }) => ({
      get isHeld() {
        return performance.now() < lease.until
      },
      async tryAcquire() {
        lease.until = performance.now() + ttl
        await sleep(delays[lease.asked++] ?? 0)
        return true
      },
      async extend(duration) {
        if (!this.isHeld) return false
        lease.until = performance.now() + duration
        return true
      },
      async release() {
        lease.until = 0
      },
    })
    return { createLock, withLock: assert.fail, lease }
  }

  test('whoever waited is not told to have longer than the provider keeps it', async (t) => {
    const provider = distant([2000])
    const redlock = await cutOff(t, { fallback: provider })
    const lock = await redlock.acquire(uniqueKey(), 3000, { wait: 60_000 })
    assert.ok(lock.remaining <= provider.lease.until - performance.now())
    assert.ok(lock.remaining > 1500, 'its ttl has been started again')
    await lock.release()
  })

  test('a lock that is over by then is asked for again', async (t) => {
    const provider = distant([LATE])
    const redlock = await cutOff(t, { fallback: provider })
    const lock = await redlock.acquire(uniqueKey(), TTL, { wait: 60_000 })
    assert.equal(provider.lease.asked, 2)
    assert.ok(lock.remaining <= provider.lease.until - performance.now())
    await lock.release()
  })

  test('one that can not be extended is given back, and its error is the cause', async (t) => {
    const mine = new Error('mine')
    const provider = distant([200])
    const { createLock } = provider
    provider.createLock = (...args) => Object.assign(createLock(...args), { extend: () => Promise.reject(mine) })
    const redlock = await cutOff(t, { fallback: provider })
    const call = redlock.acquire(uniqueKey(), TTL, { wait: 60_000 })
    await assert.rejects(call, (error) => error instanceof QuorumUnavailableError && error.cause === mine)
    assert.equal(provider.lease.until, 0)
  })
})
