'use strict'

// loseLock() of a TestRedlock, where a fallback has given the lock: its holder is told as by the nodes.

const assert = require('node:assert/strict')
const { once } = require('node:events')
const { describe, test } = require('node:test')
const { onlyInterface } = require('./away')
const { openProvider, usePostgres } = require('./postgres')
const { open } = require('../testing/support/open')
const { open: openReal, uniqueKey, LockLostError } = require('../support/quorlock')
const { within } = require('../support/until')

const pg = usePostgres()

const fallbacks = {
  "'local'": () => 'local',
  'another TestRedlock': (t) => open(t),
  'another Redlock': (t) => openReal(t, `memory:${uniqueKey()}`),
  'an object with createLock and withLock': (t) => onlyInterface(openReal(t, `memory:${uniqueKey()}`)),
  'Postgres, session': (t) => openProvider(t, pg.url).provider,
  'Postgres, transaction': (t) => openProvider(t, pg.url, { mode: 'transaction' }).provider,
  'Postgres, by the interface': (t) => onlyInterface(openProvider(t, pg.url).provider),
}

const cases = Object.entries(fallbacks).flatMap(([name, fallbackOf]) => [
  [name, fallbackOf, {}],
  [`${name}, with a prefix`, fallbackOf, { keyPrefix: 'p:' }],
])

async function cutOff(t, fallback, options) {
  const redlock = open(t, { fallback, fallbackAfter: 0, breaker: false, ...options })
  await redlock.failNodes(3)
  const lost = []
  redlock.on('lost', ({ key, reason }) => lost.push([key, reason]))
  return { redlock, lost }
}

for (const [name, fallbackOf, options] of cases) {
  describe(name, () => {
    test('a handle: signal, event, and the key is free', async (t) => {
      const { redlock, lost } = await cutOff(t, fallbackOf(t), options)
      const keys = [uniqueKey(), uniqueKey()]
      const lock = await redlock.acquire(keys, 60_000)
      const { signal } = lock
      await redlock.loseLock(keys[1])
      assert.equal(signal.reason.reason, 'gone')
      assert.equal(lock.isHeld, false)
      assert.deepEqual(lost, [[keys, 'gone']])
      assert.equal(await lock.release(), 'expired')
      for (const key of keys) assert.equal((await redlock.tryAcquire(key, 60_000)).degraded, true)
    })

    test('a section', async (t) => {
      const { redlock, lost } = await cutOff(t, fallbackOf(t), options)
      const key = uniqueKey()
      let enter
      const entered = new Promise((resolve) => (enter = resolve))
      const late = async ({ signal }) => {
        enter()
        await once(signal, 'abort')
        return signal.reason.reason
      }
      const section = redlock.withLock(key, 60_000, late, { whenLost: 'reject' })
      const refused = assert.rejects(within(30_000, section), (error) => {
        return error instanceof LockLostError && error.reason === 'gone' && error.result === 'gone'
      })
      await entered
      await redlock.loseLock(key)
      await refused
      assert.deepEqual(lost, [[key, 'gone']])
      assert.equal(await redlock.withLock(key, 60_000, () => 'again'), 'again')
    })
  })
}

test('another key, and another prefix, are left alone; what is held is named', async (t) => {
  const { redlock: one } = await cutOff(t, 'local', {})
  const other = open(t, { with: one, fallback: 'local', fallbackAfter: 0, keyPrefix: 'p:' })
  const lock = await one.acquire(['a', 'b'], 60_000)
  await assert.rejects(one.loseLock('c'), { message: 'loseLock: nobody holds "c"; held are "a", "b"' })
  await assert.rejects(other.loseLock('a'), { message: 'loseLock: nobody holds "a"; held are "a", "b"' })
  assert.equal(lock.isHeld, true)
  await one.loseLock('a')
  await assert.rejects(one.loseLock('a'), { message: 'loseLock: nobody holds "a"; nothing is held' })
})
