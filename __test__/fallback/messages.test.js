'use strict'

// What is told on node:diagnostics_channel of locks that a fallback gives: each event once, by the instance that was
// called, whatever gives the lock behind it.

const assert = require('node:assert/strict')
const { subscribe, unsubscribe } = require('node:diagnostics_channel')
const { describe, test } = require('node:test')
const { cutOff, onlyInterface } = require('./away')
const { usePostgres, openProvider } = require('./postgres')
const { uniqueKey, LockLostError } = require('../support/quorlock')
const { until } = require('../support/until')

const pg = usePostgres()

const CHANNELS = ['acquire', 'extend', 'release', 'lost', 'node']

/** Everything that anybody tells from now on; but that its nodes are down, the instance under test may tell. */
function everything(t, redlock) {
  const told = []
  for (const name of CHANNELS) {
    const hear = (message) => {
      if (name !== 'node' || message.redlock !== redlock) told.push({ name, ...message })
    }
    subscribe(`quorlock:${name}`, hear)
    t.after(() => unsubscribe(`quorlock:${name}`, hear))
  }
  return told
}

const inShort = (told) => told.map(({ name, outcome, reason, state }) => `${name} ${outcome ?? reason ?? state}`)

const fallbacks = {
  "'local'": () => 'local',
  Postgres: (t) => openProvider(t, pg.url).provider,
  'Postgres, by the interface': (t) => onlyInterface(openProvider(t, pg.url).provider),
}

for (const [name, fallbackOf] of Object.entries(fallbacks)) {
  describe(name, () => {
    test('acquired, extended and released, each once, of the instance that was asked', async (t) => {
      // a maxTtl of its own, so that what stands behind 'local' is made while we listen
      const redlock = await cutOff(t, { fallback: fallbackOf(t), maxTtl: 54_321 })
      const told = everything(t, redlock)
      const key = uniqueKey()
      const lock = await redlock.acquire(key, 20_000)
      await lock.extend(30_000)
      await lock.extend()
      await lock.release()
      await assert.rejects(lock.extend(), LockLostError)
      await redlock.withLock(key, 20_000, () => {})
      await until(() => told.length >= 7)
      await new Promise((resolve) => setTimeout(resolve, 20))
      const section = ['acquire acquired', 'release released']
      const handle = ['acquire acquired', 'extend extended', 'extend extended', 'release released', 'extend released']
      assert.deepEqual(inShort(told), [...handle, ...section])
      assert.ok(told.every((message) => message.redlock === redlock && message.key === key))
      assert.ok(told.every(({ name: channel, degraded }) => channel !== 'acquire' || degraded === true))
      const [, first, second] = told
      assert.deepEqual([first.id, first.ttl, second.ttl], [lock.id, 30_000, 30_000])
      assert.ok(first.left > 0 && first.left <= 20_000)
      assert.ok(told.every(({ name: channel, held }) => channel !== 'release' || held >= 0))
    })

    test('a lock that is lost, and its release', async (t) => {
      const redlock = await cutOff(t, { fallback: fallbackOf(t) })
      const told = everything(t, redlock)
      const lock = await redlock.acquire(uniqueKey(), 50)
      const { signal } = lock
      await until(() => signal.aborted)
      await lock.release()
      assert.equal(await lock.release(), 'expired')
      assert.deepEqual(inShort(told), ['acquire acquired', 'lost expired', 'release expired'])
      assert.ok(told.every((message) => message.redlock === redlock))
    })
  })
}
