'use strict'

// The breaker of an instance that has no fallback, while some of its calls name one: those do not pay for dead nodes each
// time, and the others are what they were. Shown by what reaches the nodes and by the states, not by the clock.

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { nowhere } = require('./away')
const { useCluster } = require('../support/cluster')
const { allUp, open, uniqueKey, QuorumUnavailableError } = require('../support/quorlock')
const { until, within } = require('../support/until')

const asked = (redlock, options) => redlock.withLock(uniqueKey(), 20_000, (lock) => lock.degraded, options)
const isUnasked = ({ message }) => message.includes('the circuit breaker is open, the nodes were not asked')

test('it is there from the first call with a fallback on, opens by them, and later ones go straight there', async (t) => {
  const redlock = open(t, await nowhere())
  assert.equal('breaker' in redlock.stats(), false)
  const states = []
  for (let i = 0; i < 3; i++) {
    assert.equal(await asked(redlock, { fallback: 'local', fallbackAfter: 0 }), true)
    states.push(redlock.stats().breaker)
  }
  assert.deepEqual(states, ['closed', 'closed', 'open'])
  // Each of these would wait for an hour, and the nodes are not asked at all.
  const patient = { fallback: 'local', fallbackAfter: 3_600_000, wait: 7_200_000 }
  await within(20_000, Promise.all(Array.from({ length: 100 }, () => asked(redlock, patient))))
  assert.ok(await within(20_000, redlock.acquire(uniqueKey(), 1000, patient)))
  assert.ok(await within(20_000, redlock.tryAcquire(uniqueKey(), 1000, patient)))
  assert.equal(redlock.stats().breaker, 'open')
})

test('with breaker: false there is none', async (t) => {
  const redlock = open(t, await nowhere(), { breaker: false })
  for (let i = 0; i < 5; i++) assert.equal(await asked(redlock, { fallback: 'local', fallbackAfter: 0 }), true)
  assert.equal('breaker' in redlock.stats(), false)
})

test('one that was asked for is for all calls, as before', async (t) => {
  const redlock = open(t, await nowhere(), { breaker: { failures: 1 } })
  assert.equal(redlock.stats().breaker, 'closed')
  assert.equal(await asked(redlock, { fallback: 'local', fallbackAfter: 0 }), true)
  await assert.rejects(asked(redlock, { wait: 0 }), isUnasked)
})

describe('calls without a fallback', () => {
  const cluster = useCluster(3)

  test('ask the nodes while it is open, and wait for them as long as they were told to', async (t) => {
    const redlock = await allUp(t, cluster.urls, { nodeTimeout: 1000 })
    const go = () => {
      for (const server of cluster.servers) server.resume()
    }
    for (const server of cluster.servers) server.pause()
    t.after(go)
    const quick = { fallback: 'local', fallbackAfter: 0 }
    for (let i = 0; i < 3; i++) assert.equal(await asked(redlock, quick), true)
    assert.equal(redlock.stats().breaker, 'open')
    await assert.rejects(asked(redlock, { wait: 0 }), (error) => {
      return error instanceof QuorumUnavailableError && !isUnasked(error) && error.attempts === 1
    })
    assert.equal(await asked(redlock, quick), true)
    const waiting = asked(redlock, { wait: 600_000 })
    go()
    assert.equal(await within(20_000, waiting), false)
    await until(async () => (await asked(redlock, quick)) === false && redlock.stats().breaker === 'closed')
  })
})
