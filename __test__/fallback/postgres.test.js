'use strict'

// `quorlock/postgres` by itself, in both forms, and what Postgres and the pool can do to it.

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const {
  advisoryLocks,
  openPool,
  openProvider,
  startPostgres,
  usePostgres,
  PostgresLockProvider,
} = require('./postgres')
const { outside } = require('../support/context')
const {
  currentLock,
  uniqueKey,
  LockContendedError,
  LockLostError,
  QuorumUnavailableError,
  RedlockClosedError,
} = require('../support/quorlock')
const { until, within } = require('../support/until')

const pg = usePostgres()
const modes = ['session', 'transaction']

/** Ends the connection that holds the one advisory lock there is, from outside. */
const TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"

for (const mode of modes) {
  describe(`${mode} form`, () => {
    test('two processes exclude each other, and leave nothing behind', async (t) => {
      const [one, other] = [openProvider(t, pg.url, { mode }), openProvider(t, pg.url, { mode })]
      const key = uniqueKey()
      const lock = await one.provider.acquire(key, 20_000)
      assert.equal(await advisoryLocks(one.pool), 1)
      assert.equal(await other.provider.tryAcquire(key, 1000), null)
      await assert.rejects(other.provider.acquire(key, 1000, { wait: 100 }), (error) => {
        assert.match(error.message, /held by another in Postgres after \d+ attempts$/)
        return error instanceof LockContendedError && error.attempts > 1
      })
      assert.equal(other.pool.idleCount, other.pool.totalCount)
      const waiting = other.provider.withLock(key, 1000, () => 'mine', { wait: 60_000 })
      await lock.release()
      assert.equal(await waiting, 'mine')
      assert.equal(await advisoryLocks(one.pool), 0)
    })

    test('another namespace, or the same text divided differently, is another lock', async (t) => {
      const { provider } = openProvider(t, pg.url, { mode, namespace: 'a' })
      const { provider: other } = openProvider(t, pg.url, { mode, namespace: 'ab' })
      const lock = await provider.acquire('bc', 5000)
      assert.ok(await other.tryAcquire('bc', 5000))
      assert.ok(await other.tryAcquire('c', 5000))
      await lock.release()
    })

    test('the two forms exclude each other', async (t) => {
      const { provider } = openProvider(t, pg.url, { mode })
      const { provider: other } = openProvider(t, pg.url, { mode: modes.find((one) => one !== mode) })
      const key = uniqueKey()
      await provider.withLock(key, 5000, async () => assert.equal(await other.tryAcquire(key, 5000), null))
      await (await other.tryAcquire(key, 5000)).release()
    })

    test('several keys in any order, all or none, without deadlock', async (t) => {
      const [one, other] = [openProvider(t, pg.url, { mode }), openProvider(t, pg.url, { mode })]
      const [a, b, c] = [uniqueKey(), uniqueKey(), uniqueKey()]
      const held = await one.provider.acquire(b, 20_000)
      assert.equal(await other.provider.tryAcquire([a, b, c], 1000), null)
      assert.equal(await advisoryLocks(one.pool), 1)
      await held.release()
      let inside = 0
      const work = ({ provider }, keys) =>
        provider.withLock(
          keys,
          5000,
          async () => {
            inside += 1
            assert.equal(inside, 1)
            await new Promise(setImmediate)
            inside -= 1
          },
          { wait: 120_000 },
        )
      const orders = [
        [a, b, c],
        [c, b, a],
        [b, c, a],
      ]
      await Promise.all(orders.flatMap((keys) => [one, other, one].map((where) => work(where, keys))))
      assert.equal(await advisoryLocks(one.pool), 0)
    })

    test('a crowd in one process takes one connection for what it waits for', async (t) => {
      const { provider, pool } = openProvider(t, pg.url, { mode }, { max: 2 })
      const key = uniqueKey()
      const order = []
      const calls = Array.from({ length: 100 }, (_, i) =>
        provider.withLock(key, 5000, () => order.push(i), { wait: 120_000 }),
      )
      await Promise.all(calls)
      assert.deepEqual(
        order,
        calls.map((_, i) => i),
      )
      assert.ok(pool.totalCount <= 2)
    })

    test('an abort while Postgres is asked gives back what is granted after it', async (t) => {
      const { provider, pool } = openProvider(t, pg.url, { mode })
      for (let i = 0; i < 20; i++) {
        const controller = new AbortController()
        const asked = provider.acquire(uniqueKey(), 20_000, { signal: controller.signal })
        setTimeout(() => controller.abort(new Error('enough')), i / 4)
        await asked.then(
          (lock) => lock.release(),
          (error) => assert.equal(error.message, 'enough'),
        )
      }
      await until(async () => (await advisoryLocks(pool)) === 0)
      await until(() => pool.idleCount === pool.totalCount)
    })

    test('a connection that is ended from outside is a lock that is lost at once', async (t) => {
      const { provider } = openProvider(t, pg.url, { mode })
      const admin = openPool(t, pg.url)
      const key = uniqueKey()
      const lock = await provider.acquire(key, 60_000, { renew: true })
      const { signal } = lock
      await admin.query(TERMINATE)
      await until(() => signal.aborted)
      assert.ok(signal.reason instanceof LockLostError)
      assert.equal(signal.reason.reason, 'gone')
      assert.equal(lock.isHeld, false)
      await assert.rejects(lock.extend(), (error) => error instanceof LockLostError && error.reason === 'gone')
      assert.equal(await lock.release(), 'expired')
      await (await provider.acquire(key, 1000)).release()
    })

    test('while the pool has no connection left, nobody waits longer than told; a late one goes back', async (t) => {
      const { provider, pool } = openProvider(t, pg.url, { mode, answerTimeout: 100 }, { max: 1 })
      const taken = await pool.connect()
      for (const call of [
        () => provider.acquire(uniqueKey(), 1000, { wait: 50 }),
        () => provider.tryAcquire(uniqueKey(), 1000),
        () => provider.withLock(uniqueKey(), 1000, assert.fail, { wait: 50 }),
      ]) {
        await assert.rejects(call(), (error) => {
          assert.match(error.message, /Postgres did not answer.*the pool had no connection within \d+ ms/)
          assert.deepEqual(
            error.votes.map(({ node, vote, code }) => [node, vote, code]),
            [['postgres', 'faulted', 'TIMEOUT']],
          )
          return error instanceof QuorumUnavailableError
        })
      }
      const waiting = provider.acquire(uniqueKey(), 1000, { wait: 60_000, signal: AbortSignal.timeout(20) })
      await assert.rejects(waiting, { name: 'TimeoutError' })
      taken.release()
      await until(() => pool.idleCount === 1 && pool.waitingCount === 0)
      await (await provider.acquire(uniqueKey(), 1000)).release()
    })

    test('a statement that is timed out by the server leaves no lock behind', async (t) => {
      const { provider, pool } = openProvider(t, pg.url, { mode }, { statement_timeout: 50 })
      // The first statement of each connection is kept waiting for the catalogue, which somebody else has locked.
      const admin = openPool(t, pg.url)
      const blocker = await admin.connect()
      await blocker.query('BEGIN')
      await blocker.query('LOCK TABLE pg_catalog.pg_proc IN ACCESS EXCLUSIVE MODE')
      const refused = provider.acquire(uniqueKey(), 1000, { wait: 200 })
      await assert.rejects(
        refused,
        (error) => error instanceof QuorumUnavailableError && error.votes[0].code === 'TIMEOUT',
      )
      await blocker.query('ROLLBACK')
      blocker.release()
      await until(async () => (await advisoryLocks(admin)) === 0)
      await (await provider.acquire(uniqueKey(), 5000)).release()
      assert.equal(pool.idleCount, pool.totalCount)
    })

    test('Postgres that does not answer costs the wait, and gets back what it grants later', async (t) => {
      const { provider, pool } = openProvider(t, pg.url, { mode, answerTimeout: 600_000 })
      const blocker = await openPool(t, pg.url).connect()
      await blocker.query('BEGIN; LOCK TABLE pg_catalog.pg_proc IN ACCESS EXCLUSIVE MODE')
      const silent = within(60_000, provider.acquire(uniqueKey(), 1000, { wait: 200 }))
      await assert.rejects(silent, (error) => {
        assert.match(error.message, /Postgres did not answer after 1 attempt.*no answer within \d+ ms/)
        return error instanceof QuorumUnavailableError && error.votes[0].code === 'TIMEOUT'
      })
      await blocker.query('ROLLBACK')
      blocker.release()
      await until(() => pool.idleCount === pool.totalCount)
      assert.equal(await advisoryLocks(pool), 0)
    })

    test('close() ends it, but not the pool', async (t) => {
      const { provider, pool } = openProvider(t, pg.url, { mode })
      const key = uniqueKey()
      const lock = await provider.acquire(key, 60_000)
      const waiting = assert.rejects(provider.acquire(key, 1000, { wait: 60_000 }), RedlockClosedError)
      const closing = provider.close({ timeout: 20 })
      await within(20_000, waiting)
      await within(20_000, closing)
      assert.equal(lock.signal.reason.reason, 'closed')
      await assert.rejects(provider.tryAcquire(key, 1000), RedlockClosedError)
      await until(async () => (await advisoryLocks(pool)) === 0)
      assert.equal((await pool.query('SELECT 1 AS one')).rows[0].one, 1)
    })

    test('Postgres killed while locks are held and waited for', async (t) => {
      const server = await startPostgres()
      t.after(() => server.stop())
      const { provider } = openProvider(t, server.url, { mode })
      const lock = await provider.acquire(uniqueKey(), 60_000)
      const key = uniqueKey()
      let isInside = false
      const section = provider.withLock(key, 60_000, async ({ signal }) => {
        isInside = true
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        throw signal.reason
      })
      const sees = assert.rejects(section, (error) => error instanceof LockLostError && error.reason === 'gone')
      const waits = assert.rejects(
        outside(() => provider.acquire(lock.key, 1000, { wait: 2000 })),
        QuorumUnavailableError,
      )
      await until(() => isInside)
      await server.stop()
      await within(60_000, Promise.all([sees, waits]))
      assert.equal(lock.isHeld, false)
      assert.equal(await lock.release(), 'expired')
      await assert.rejects(provider.tryAcquire(uniqueKey(), 1000), QuorumUnavailableError)
    })

    test('reentrancy and bad input', async (t) => {
      const { provider } = openProvider(t, pg.url, { mode })
      const key = uniqueKey()
      await provider.withLock(key, 5000, async (lock) => {
        assert.equal(currentLock(), lock)
        await assert.rejects(provider.acquire(key, 1000), (error) => error.reentrant === true)
        assert.equal(await provider.tryAcquire([uniqueKey(), key], 1000), null)
      })
      await assert.rejects(provider.acquire('', 1000), TypeError)
      await assert.rejects(provider.acquire(key, 1), RangeError)
      await assert.rejects(provider.withLock(key, 1000), TypeError)
      await assert.rejects(provider.acquire(key, 1000, { fallback: 'local' }), TypeError)
      assert.throws(() => provider.createLock([]), RangeError)
    })
  })
}

describe('session form', () => {
  test('renewal asks whether the connection is there, and ends with maxHold', async (t) => {
    const { provider } = openProvider(t, pg.url, { maxHold: 4500 })
    const lock = await provider.acquire(uniqueKey(), 3000, { renew: true })
    const { signal } = lock
    await new Promise((resolve) => setTimeout(resolve, 3500))
    assert.equal(lock.isHeld, true)
    await until(() => signal.aborted)
    assert.equal(signal.reason.reason, 'maxHold')
  })

  test('what the function does is its own: the result stays, unless whenLost says otherwise', async (t) => {
    const { provider } = openProvider(t, pg.url)
    const late = async ({ signal }) => {
      await until(() => signal.aborted)
      return 'late'
    }
    assert.equal(await provider.withLock(uniqueKey(), 50, late, { renew: false }), 'late')
    const strict = provider.withLock(uniqueKey(), 50, late, { renew: false, whenLost: 'reject' })
    await assert.rejects(strict, (error) => error instanceof LockLostError && error.result === 'late')
  })
})

test('options that are wrong', () => {
  const pool = { connect() {}, query() {} }
  const make = (options) => () => new PostgresLockProvider({ pool, ...options })
  assert.throws(make({ pool: undefined }), /pool must be a pool of the package pg, .*npm install pg/)
  assert.throws(make({ pool: { query() {} } }), TypeError)
  assert.throws(make({ mode: 'row' }), /mode must be 'session' or 'transaction'; got "row"/)
  assert.throws(make({ namespace: 'x'.repeat(513) }), TypeError)
  assert.throws(make({ namespace: 1 }), TypeError)
  assert.throws(make({ retryDelay: 50, retryDelayMax: 20 }), RangeError)
  assert.throws(make({ answerTimeout: 0 }), RangeError)
  assert.throws(make({ timeout: 10 }), /options must only have the names pool, mode, namespace/)
  assert.throws(() => new PostgresLockProvider(), TypeError)
})
