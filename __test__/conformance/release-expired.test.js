'use strict'

// Releasing a lock that ran out is an everyday event, not an error, and it needs no retries: one bounded round.

const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { useCluster } = require('../support/cluster')
const { peers, ioredis, showsDefect } = require('../support/peers')
const { allUp, connected, uniqueKey } = require('../support/quorlock')
const { stateAfter, timed, until } = require('../support/until')

describe('release of an expired lock', { concurrency: true }, () => {
  const cluster = useCluster(3)
  const gone = (key) => until(async () => (await cluster.holding(key)) === 0)

  for (const peer of [peers.redlock5, peers.sesamecare]) {
    test(`${peer.name} retries it and throws`, async (t) => {
      const key = uniqueKey()
      const redlock = new peer.Redlock(await ioredis(t, cluster.urls))
      const lock = await redlock.acquire([key], 100)
      await gone(key)
      const { error, ms } = await timed(() => lock.release())
      showsDefect(t, peer, {
        fails: error?.name === 'ExecutionError' && ms > 1000,
        seen: `after ${Math.round(ms)} ms: ${error?.message ?? 'released'}`,
      })
    })

    test(`${peer.name} never returns when it acquires with retryCount -1`, async (t) => {
      const key = uniqueKey()
      const redlock = new peer.Redlock(await ioredis(t, cluster.urls), {
        retryCount: -1,
        retryDelay: 20,
        retryJitter: 0,
      })
      const lock = await redlock.acquire([key], 100)
      await gone(key)
      const releasing = lock.release()
      releasing.catch(() => {})
      const state = await stateAfter(2500, releasing)
      showsDefect(t, peer, { fails: state === 'pending', seen: `release is ${state} after 2,500 ms` })
      // It offers no way out of its endless loop, and the process of this test has to end.
      redlock._attemptOperation = () => Promise.reject(new Error('stopped by the test'))
    })
  }

  test("quorlock answers 'expired' in one round, as often as it is asked", async (t) => {
    const key = uniqueKey()
    const redlock = await connected(t, cluster.urls, { retryCount: 50 })
    const lock = await redlock.acquire(key, 100)
    await gone(key)
    const { value, ms } = await timed(() => lock.release())
    assert.equal(value, 'expired')
    assert.ok(ms < 1000, `took ${ms} ms`)
    assert.equal(await lock.release(), 'expired')
  })

  test('quorlock leaves the lock of the successor alone', async (t) => {
    const key = uniqueKey()
    const redlock = await allUp(t, cluster.urls)
    const lock = await redlock.acquire(key, 100)
    await gone(key)
    const successor = await redlock.acquire(key, 5000)
    assert.equal(await lock.release(), 'expired')
    assert.equal(successor.isHeld, true)
    await until(async () => (await cluster.all('GET', key)).every((value) => value === successor.id))
  })
})
