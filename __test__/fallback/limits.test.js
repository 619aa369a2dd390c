'use strict'

// maxTtl and maxHold of a Redlock, and the provider it falls back to: what that one would refuse is told before it is
// needed, and what it renews ends when the lock would have ended on the nodes.

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { cutOff, onlyInterface } = require('./away')
const { usePostgres, openProvider, PostgresLockProvider } = require('./postgres')
const { open, uniqueKey, LockLostError, Redlock } = require('../support/quorlock')
const { until, within } = require('../support/until')
const { TestRedlock } = require('../../testing')

const nodes = 'redis://127.0.0.1:1'
const pool = { connect: assert.fail, query: assert.fail }
const unasked = (maxTtl) => ({ createLock: assert.fail, withLock: assert.fail, maxTtl })

describe('maxTtl', () => {
  const tooShort = {
    'Postgres, by default': [new PostgresLockProvider({ pool }), 60_000],
    'Postgres, as given': [new PostgresLockProvider({ pool, maxTtl: 100_000 }), 100_000],
    'another TestRedlock': [new TestRedlock(), 60_000],
    'a provider that tells': [unasked(1000), 1000],
  }
  for (const [name, [fallback, maxTtl]] of Object.entries(tooShort)) {
    test(`${name}: a longer one of the Redlock is told when that is made`, () => {
      const message = `fallback must take every ttl up to maxTtl (300000); got one whose own maxTtl is ${maxTtl}`
      const expected = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE', message }
      assert.throws(() => new Redlock({ nodes, maxTtl: 300_000, fallback }), expected)
    })
  }

  test('as long as that of the Redlock, or unknown, it is taken', (t) => {
    for (const fallback of [
      new PostgresLockProvider({ pool, maxTtl: 300_000 }),
      unasked(undefined),
      unasked(Infinity),
    ]) {
      assert.equal(open(t, nodes, { maxTtl: 300_000, fallback }).maxTtl, 300_000)
    }
    const wrong = { name: 'TypeError', message: 'fallback.maxTtl must be a number, in milliseconds; got "60s"' }
    assert.throws(() => new Redlock({ nodes, fallback: unasked('60s') }), wrong)
  })

  test('the fallback of one call has to take the ttl of that call, also while the nodes are well', async (t) => {
    const redlock = open(t, 'memory', { maxTtl: 300_000 })
    const fallback = unasked(60_000)
    const message = 'fallback must take the ttl of this call (60001); got one whose own maxTtl is 60000'
    const expected = { name: 'RangeError', message }
    await assert.rejects(redlock.acquire(uniqueKey(), 60_001, { fallback }), expected)
    await assert.rejects(redlock.tryAcquire(uniqueKey(), 60_001, { fallback }), expected)
    await assert.rejects(redlock.withLock(uniqueKey(), 60_001, assert.fail, { fallback }), expected)
    assert.equal(await redlock.withLock(uniqueKey(), 60_000, (lock) => lock.degraded, { fallback }), false)
  })
})

/** A provider of the user that renews for ever. */
function endless() {
  const seen = { released: 0 }
  const handle = () => ({
    id: 'inner',
    ttl: 5000,
    isHeld: true,
    remaining: 5000,
    signal: new AbortController().signal,
    extend: async () => {},
    release: async () => {
      seen.released += 1
      return 'released'
    },
  })
  const acquire = async () => handle()
  const withLock = async (_key, _ttl, fn) => {
    try {
      return await fn(handle())
    } catch (error) {
      seen.failed = error
      throw error
    }
  }
  return { createLock: assert.fail, acquire, tryAcquire: acquire, withLock, seen }
}

describe('maxHold, by the time of the test', () => {
  async function cutOffInLab(t, fallback) {
    const redlock = new TestRedlock({ maxHold: 60_000, fallback, fallbackAfter: 0 })
    t.after(() => redlock.close())
    await redlock.failNodes(3)
    return redlock
  }
  const isOver = { reason: 'maxHold', code: 'ERR_LOCK_LOST' }

  test('a lock that is renewed ends when its ttl after maxHold is over', async (t) => {
    const fallback = endless()
    const redlock = await cutOffInLab(t, fallback)
    const lost = []
    redlock.on('lost', ({ reason }) => lost.push(reason))
    const lock = await redlock.acquire('a', 5000, { renew: true })
    await redlock.advance(59_999)
    assert.equal(lock.remaining, 5000)
    await redlock.advance(4000)
    assert.ok(lock.isHeld && lock.remaining <= 1001, `${lock.remaining} are left`)
    await redlock.advance(1001)
    assert.deepEqual([lock.isHeld, lock.remaining, fallback.seen.released], [false, 0, 1])
    assert.equal(lock.signal.reason.reason, 'maxHold')
    assert.deepEqual(lost, ['maxHold'])
    assert.equal(await lock.release(), 'expired')
    await assert.rejects(lock.extend(), isOver)
  })

  test('who extends it himself goes on', async (t) => {
    const fallback = endless()
    const redlock = await cutOffInLab(t, fallback)
    const lock = await redlock.acquire('a', 5000, { renew: true })
    await redlock.advance(62_000)
    await lock.extend(5000)
    await redlock.advance(4000)
    assert.equal(lock.isHeld, true)
    await redlock.advance(1000)
    assert.deepEqual([lock.isHeld, lock.signal.reason.reason], [false, 'maxHold'])
  })

  test('one that is not renewed, or was given back, is left alone', async (t) => {
    const fallback = endless()
    const redlock = await cutOffInLab(t, fallback)
    const [kept, returned] = [await redlock.acquire('a', 5000), await redlock.acquire('b', 5000, { renew: true })]
    await returned.release()
    await redlock.withLock('c', 5000, () => {})
    await redlock.advance(200_000)
    assert.deepEqual([kept.isHeld, fallback.seen.released], [true, 1])
    assert.equal(await returned.release(), 'released')
  })

  test('a section of a provider of the user: that one sees it fail, and the result is in the error', async (t) => {
    const fallback = endless()
    const redlock = await cutOffInLab(t, fallback)
    let finish
    const section = redlock.withLock('a', 5000, () => new Promise((resolve) => (finish = () => resolve('mine'))))
    const refused = assert.rejects(section, { ...isOver, result: 'mine' })
    await redlock.advance(66_000)
    assert.ok(fallback.seen.failed instanceof LockLostError)
    finish()
    await refused
  })
})

describe('maxHold, with Postgres', () => {
  const pg = usePostgres()
  const kinds = { session: (provider) => provider, 'by the interface': onlyInterface }
  for (const [name, seen] of Object.entries(kinds)) {
    test(`${name}: ends what the provider would renew for minutes`, async (t) => {
      const { provider } = openProvider(t, pg.url)
      const redlock = await cutOff(t, { fallback: seen(provider), maxHold: 1500 })
      const key = uniqueKey()
      const since = performance.now()
      const work = async ({ signal }) => {
        await within(
          20_000,
          until(() => signal.aborted),
        )
        return [signal.reason.reason, performance.now() - since >= 1500]
      }
      assert.deepEqual(await redlock.withLock(key, 1000, work), ['maxHold', true])
      const lock = await provider.acquire(key, 1000) // which nobody has any more
      await lock.release()
    })
  }
})

test('no process stays alive for it', async (t) => {
  const redlock = await cutOff(t, { fallback: endless() })
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const before = timers()
  await redlock.acquire(uniqueKey(), 5000, { renew: true })
  assert.ok(timers() <= before)
})
