'use strict'

// What the transaction form adds to a lock: nothing is written without it.

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { cutOff } = require('./away')
const { advisoryLocks, openProvider, usePostgres } = require('./postgres')
const { uniqueKey, LockLostError } = require('../support/quorlock')
const { until } = require('../support/until')

const pg = usePostgres()

describe('transaction form', () => {
  const table = async (t, options = {}) => {
    const opened = openProvider(t, pg.url, { mode: 'transaction', ...options })
    const name = `t${uniqueKey().replaceAll(/\W/g, '_')}`
    await opened.pool.query(`CREATE TABLE ${name} (n int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED)`)
    const put = (client, n) => client.query(`INSERT INTO ${name} VALUES ($1)`, [n])
    const all = async () => (await opened.pool.query(`SELECT n FROM ${name} ORDER BY n`)).rows.map(({ n }) => n)
    return { ...opened, put, all }
  }

  test('what the function writes is committed with its result, and gone with its error', async (t) => {
    const { provider, put, all } = await table(t)
    assert.equal(await provider.withLock('k', 5000, async ({ client }) => (await put(client, 1)).rowCount), 1)
    const mine = new Error('mine')
    const failing = provider.withLock('k', 5000, async ({ client }) => {
      await put(client, 2)
      throw mine
    })
    await assert.rejects(failing, (error) => error === mine)
    assert.deepEqual(await all(), [1])
  })

  test('as a fallback it commits and rolls back as well', async (t) => {
    const { provider, put, all } = await table(t)
    const redlock = await cutOff(t, { fallback: provider })
    assert.equal(await redlock.withLock('k', 5000, async ({ inner }) => (await put(inner.client, 1)).rowCount), 1)
    const mine = new Error('mine')
    const failing = redlock.withLock('k', 5000, async ({ inner }) => {
      await put(inner.client, 2)
      throw mine
    })
    await assert.rejects(failing, (error) => error === mine)
    const lock = await redlock.acquire('k', 5000)
    await put(lock.inner.client, 3)
    assert.equal(await lock.release(), 'released')
    assert.deepEqual(await all(), [1, 3])
  })

  for (const [how, end] of [
    ['its ttl', (lock) => until(() => lock.signal.aborted)],
    ['its release()', (lock) => lock.release()],
  ]) {
    test(`a client that the user has given back is told of, and harms nobody at the end by ${how}`, async (t) => {
      const told = []
      const hear = ({ code, message }) => code === 'QUORLOCK_CLIENT' && told.push(message)
      process.on('warning', hear)
      t.after(() => process.off('warning', hear))
      const { provider } = openProvider(t, pg.url, { mode: 'transaction' })
      const lock = await provider.acquire(uniqueKey(), 200)
      lock.client.release()
      await end(lock)
      await until(() => told.length === 1)
      assert.match(told[0], /^a connection of a lock in Postgres could not be given back: /)
    })
  }

  test('release() commits; a handle that is lost has written nothing', async (t) => {
    const { provider, put, all, pool } = await table(t)
    const lock = await provider.acquire('k', 5000)
    await put(lock.client, 1)
    assert.equal(await lock.release(), 'released')
    const late = await provider.acquire('k', 100)
    await put(late.client, 2).catch(() => {}) // it may be lost before
    await until(() => late.signal.aborted)
    assert.equal(await late.release(), 'expired')
    assert.deepEqual(await all(), [1])
    await until(async () => (await advisoryLocks(pool)) === 0)
  })

  test('a transaction that was not committed is never a result', async (t) => {
    const { provider, put, all } = await table(t)
    await provider.withLock('k', 5000, ({ client }) => put(client, 1))
    // a constraint that is checked at the end: as Postgres tells it
    await assert.rejects(
      provider.withLock('k', 5000, ({ client }) => put(client, 1)),
      { code: '23505' },
    )
    // a statement that failed, and nobody minded
    const swallowed = provider.withLock('k', 5000, async ({ client }) => {
      await put(client, 2)
      await client.query('SELECT 1 / 0').catch(() => {})
      return 'done'
    })
    await assert.rejects(swallowed, (error) => {
      assert.match(error.message, /a statement in it had failed, so that Postgres has rolled it back/)
      return error instanceof LockLostError && error.result === 'done'
    })
    // lost meanwhile
    const late = provider.withLock(
      'k',
      50,
      async ({ client, signal }) => {
        await put(client, 3).catch(() => {}) // it may be lost before
        await until(() => signal.aborted)
        return 'late'
      },
      { renew: false },
    )
    await assert.rejects(late, (error) => error instanceof LockLostError && error.result === 'late')
    assert.deepEqual(await all(), [1])
  })

  test('a lock that ends in the middle of a statement is not waited for', async (t) => {
    const { provider, put, all } = await table(t)
    const options = { renew: false, wait: 120_000 }
    const slow = provider.withLock(
      'k',
      100,
      ({ client }) => put(client, 1).then(() => client.query('SELECT pg_sleep(1)')),
      options,
    )
    await assert.rejects(slow)
    await provider.withLock('k', 5000, ({ client }) => put(client, 2), options)
    assert.deepEqual(await all(), [2])
  })

  test('idle_in_transaction_session_timeout ends the lock, and what was written', async (t) => {
    const { provider, put, all } = await table(t)
    const killed = provider.withLock('k', 60_000, async ({ client, signal }) => {
      await client.query("SET LOCAL idle_in_transaction_session_timeout = '50ms'")
      await put(client, 1).catch(() => {}) // it may be lost before
      await until(() => signal.aborted)
      return 'late'
    })
    await assert.rejects(killed, (error) => error instanceof LockLostError && error.reason === 'gone')
    assert.deepEqual(await all(), [])
  })

  test('who comes next sees what the last one has committed', async (t) => {
    const { provider, pool } = await table(t)
    await pool.query('CREATE TABLE IF NOT EXISTS counters (n int)')
    await pool.query('TRUNCATE counters')
    await pool.query('INSERT INTO counters VALUES (0)')
    const { provider: other } = openProvider(t, pg.url, { mode: 'transaction' })
    const increment = async ({ client }) => {
      const { rows } = await client.query('SELECT n FROM counters')
      await client.query('UPDATE counters SET n = $1', [rows[0].n + 1])
    }
    const calls = Array.from({ length: 40 }, (_, i) =>
      (i % 2 === 0 ? provider : other).withLock('counter', 20_000, increment, { wait: 120_000 }),
    )
    await Promise.all(calls)
    assert.equal((await pool.query('SELECT n FROM counters')).rows[0].n, 40)
  })
})
