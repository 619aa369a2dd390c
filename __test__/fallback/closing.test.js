'use strict'

// close() takes locks of the fallback away. Nothing that their holders have begun is made final by that, and nothing
// they had from the pool is given to others while they use it.

const assert = require('node:assert/strict')
const { once } = require('node:events')
const { describe, test } = require('node:test')
const { cutOff, onlyInterface } = require('./away')
const { openPool, openProvider, usePostgres } = require('./postgres')
const { open, uniqueKey, LockLostError } = require('../support/quorlock')
const { within } = require('../support/until')

const pg = usePostgres()

function deferred() {
  let resolve
  const promise = new Promise((done) => {
    resolve = done
  })
  return { promise, resolve }
}

/** A table to write to, over a pool of its own. */
async function table(t) {
  const pool = openPool(t, pg.url)
  const name = `t${uniqueKey().replaceAll(/\W/g, '_')}`
  await pool.query(`CREATE TABLE ${name} (n int PRIMARY KEY)`)
  return {
    put: (client, n) => client.query(`INSERT INTO ${name} VALUES ($1)`, [n]),
    all: async () => (await pool.query(`SELECT n FROM ${name} ORDER BY n`)).rows.map(({ n }) => n),
  }
}

/** A provider as a user may write it: its locks end with its transactions, and nobody else can end them. */
function handmade(pool) {
  const withLock = async (key, ttl, fn) => {
    const client = await pool.connect()
    try {
      await client.query('BEGIN')
      await client.query('SELECT pg_advisory_xact_lock(hashtext($1))', [key])
      const { signal } = new AbortController()
      const lock = { key, ttl, client, signal, isHeld: true, remaining: ttl, extend: async () => {} }
      const result = await fn({ ...lock, release: () => client.query('COMMIT') })
      await client.query('COMMIT')
      client.release()
      return result
    } catch (error) {
      client.release(true)
      throw error
    }
  }
  return { createLock: assert.fail, withLock }
}

const transactional = {
  'Postgres, transaction': (t) => openProvider(t, pg.url, { mode: 'transaction' }).provider,
  'Postgres, transaction, by the interface': (t) =>
    onlyInterface(openProvider(t, pg.url, { mode: 'transaction' }).provider),
  'a provider of the user': (t) => handmade(openPool(t, pg.url)),
}

for (const [name, fallbackOf] of Object.entries(transactional)) {
  describe(name, () => {
    test('a section whose lock is taken away commits nothing, not even what it writes after', async (t) => {
      const { put, all } = await table(t)
      const redlock = await cutOff(t, { fallback: fallbackOf(t) })
      const entered = deferred()
      const gate = deferred()
      const work = redlock.withLock(uniqueKey(), 60_000, async (lock) => {
        const { client } = lock.inner
        await put(client, 1)
        lock.signal.addEventListener('abort', () => lock.release()) // as tidy code does
        entered.resolve()
        await gate.promise
        assert.equal(lock.signal.reason.reason, 'closed')
        await put(client, 2).catch(() => {})
        return 'done'
      })
      const refused = assert.rejects(work, (error) => {
        return error instanceof LockLostError && error.reason === 'closed' && error.result === 'done'
      })
      await entered.promise
      await within(30_000, redlock.close({ timeout: 20 }))
      assert.deepEqual(await all(), [])
      gate.resolve()
      await within(30_000, refused)
      assert.deepEqual(await all(), [])
    })

    test('what the function of such a section throws is its own', async (t) => {
      const redlock = await cutOff(t, { fallback: fallbackOf(t) })
      const mine = new Error('mine')
      const entered = deferred()
      const work = redlock.withLock(uniqueKey(), 60_000, async ({ signal }) => {
        entered.resolve()
        await once(signal, 'abort')
        throw mine
      })
      const failing = assert.rejects(work, (error) => error === mine)
      await entered.promise
      await within(30_000, redlock.close({ timeout: 20 }))
      await within(30_000, failing)
    })
  })
}

for (const [name, only] of [
  ['Postgres, transaction', (provider) => provider],
  ['Postgres, transaction, by the interface', onlyInterface],
]) {
  test(`${name}: a handle that is taken away has committed nothing`, async (t) => {
    const { put, all } = await table(t)
    const { provider } = openProvider(t, pg.url, { mode: 'transaction' })
    let given
    const acquire = provider.acquire.bind(provider)
    provider.acquire = async (...args) => {
      given = await acquire(...args)
      return given
    }
    const redlock = await cutOff(t, { fallback: only(provider) })
    const lock = await redlock.acquire(uniqueKey(), 60_000)
    await put(given.client, 1)
    lock.signal.addEventListener('abort', () => lock.release())
    await within(30_000, redlock.close({ timeout: 20 }))
    assert.equal(lock.signal.reason.reason, 'closed')
    assert.equal(await lock.release(), 'expired')
    assert.equal(given.isHeld, false)
    assert.deepEqual(await all(), [])
  })
}

const fallbacks = {
  "'local'": () => 'local',
  'another Redlock': (t) => open(t, `memory:${uniqueKey()}`),
  'an object with createLock and withLock': (t) => onlyInterface(open(t, `memory:${uniqueKey()}`)),
  'Postgres, session': (t) => openProvider(t, pg.url).provider,
  ...transactional,
}

for (const [name, fallbackOf] of Object.entries(fallbacks)) {
  test(`${name}: whenLost: 'reject' refuses a result that close() was faster than`, async (t) => {
    const redlock = await cutOff(t, { fallback: fallbackOf(t) })
    const entered = deferred()
    const late = async ({ signal }) => {
      entered.resolve()
      await once(signal, 'abort')
      return 'late'
    }
    const work = redlock.withLock(uniqueKey(), 60_000, late, { whenLost: 'reject' })
    const refused = assert.rejects(work, (error) => {
      return error instanceof LockLostError && error.reason === 'closed' && error.result === 'late'
    })
    await entered.promise
    await within(30_000, redlock.close({ timeout: 20 }))
    await within(30_000, refused)
  })
}
