'use strict'

// Behind PgBouncer: the session form needs a session of its own, the transaction form does not.

const assert = require('node:assert/strict')
const { after, before, describe, test } = require('node:test')
const { startPgbouncer } = require('./pgbouncer')
const { advisoryLocks, openPool, openProvider, usePostgres } = require('./postgres')
const { uniqueKey } = require('../support/quorlock')

const pg = usePostgres()

function usePgbouncer(poolMode, connections) {
  const bouncer = { url: undefined }
  let started
  before(async () => {
    started = await startPgbouncer(pg.url, poolMode, connections)
    bouncer.url = started.url
  })
  after(() => started?.stop())
  return bouncer
}

/** Many sections of two providers, as of two processes: how many were done, and how many were inside at once. */
async function crowd(t, url, mode) {
  const key = uniqueKey()
  const providers = [1, 2].map(() => openProvider(t, url, { mode }).provider)
  let [inside, most, done] = [0, 0, 0]
  const section = async () => {
    inside += 1
    most = Math.max(most, inside)
    await new Promise(setImmediate)
    inside -= 1
    done += 1
  }
  const calls = Array.from({ length: 40 }, (_, i) => providers[i % 2].withLock(key, 60_000, section, { wait: 60_000 }))
  await Promise.all(calls)
  return { done, most, left: await advisoryLocks(openPool(t, pg.url)) }
}

describe('transaction pooling', () => {
  const bouncer = usePgbouncer('transaction', 4)
  const narrow = usePgbouncer('transaction', 1)

  test('the transaction form excludes', async (t) => {
    assert.deepEqual(await crowd(t, bouncer.url, 'transaction'), { done: 40, most: 1, left: 0 })
  })

  test('the session form does not: others get the session that has the lock', async (t) => {
    const key = uniqueKey()
    const [one, other] = [1, 2].map(() => openProvider(t, narrow.url).provider)
    const locks = [await one.tryAcquire(key, 60_000), await other.tryAcquire(key, 60_000)]
    assert.deepEqual(
      locks.map((lock) => lock?.isHeld),
      [true, true],
    )
  })
})

describe('session pooling', () => {
  const bouncer = usePgbouncer('session', 8)

  for (const mode of ['session', 'transaction']) {
    test(`the ${mode} form excludes`, async (t) => {
      assert.deepEqual(await crowd(t, bouncer.url, mode), { done: 40, most: 1, left: 0 })
    })
  }
})
