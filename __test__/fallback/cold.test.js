'use strict'

// A process that has just started: its nodes have not answered yet, and that is no reason to fall back.

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { nowhere } = require('./away')
const { proxies, urlsOf, useCluster } = require('../support/cluster')
const { allUp, open, uniqueKey } = require('../support/quorlock')
const { within } = require('../support/until')

function pause(t, servers) {
  t.after(() => {
    for (const server of servers) server.resume()
  })
  for (const server of servers) server.pause()
}

describe('nodes that are well, and some way off', () => {
  const cluster = useCluster(3)

  const calls = {
    'wait: 0': (redlock, key) => redlock.acquire(key, 20_000, { wait: 0 }),
    'a short fallbackAfter': (redlock, key) => redlock.acquire(key, 20_000, { fallbackAfter: 10 }),
    'fallbackAfter: 0': (redlock, key) => redlock.acquire(key, 20_000, { fallbackAfter: 0 }),
    tryAcquire: (redlock, key) => redlock.tryAcquire(key, 20_000, { fallbackAfter: 0 }),
    withLock: (redlock, key) => redlock.withLock(key, 20_000, (lock) => lock, { wait: 0 }),
  }
  for (const [name, call] of Object.entries(calls)) {
    test(`${name}: the first call of a process is answered by the nodes`, async (t) => {
      const nodes = await proxies(t, cluster)
      for (const { toClient } of nodes) toClient.delay(40)
      const redlock = open(t, urlsOf(nodes), { nodeTimeout: 5000, connectTimeout: 20_000, fallback: 'local' })
      const lock = await call(redlock, uniqueKey())
      assert.equal(lock.degraded, false)
      assert.equal(redlock.stats().degraded, false)
    })
  }
})

describe('nodes that accept connections, and never answer', () => {
  const cluster = useCluster(3)

  test('are waited for as long as a connection may take, and not longer', async (t) => {
    pause(t, cluster.servers)
    const options = { connectTimeout: 300, fallback: 'local', fallbackAfter: 0, wait: 600_000 }
    const redlock = open(t, cluster.urls, options)
    const since = performance.now()
    const lock = await within(30_000, redlock.acquire(uniqueKey(), 20_000))
    assert.equal(lock.degraded, true)
    assert.ok(performance.now() - since >= 250)
    await (await redlock.acquire(uniqueKey(), 20_000)).release()
  })

  test('are not waited for where the others are down', async (t) => {
    const [first] = cluster.servers
    pause(t, [first])
    const redlock = open(t, [first.url, ...(await nowhere()).slice(1)], { fallback: 'local', connectTimeout: 600_000 })
    const lock = await within(30_000, redlock.acquire(uniqueKey(), 20_000, { wait: 600_000, fallbackAfter: 0 }))
    assert.equal(lock.degraded, true)
  })

  test('nodes that were up before are not undecided when they go away', async (t) => {
    const redlock = await allUp(t, cluster.urls, { connectTimeout: 600_000, fallback: 'local' })
    pause(t, cluster.servers)
    const lock = await within(30_000, redlock.acquire(uniqueKey(), 2000, { wait: 600_000, fallbackAfter: 0 }))
    assert.equal(lock.degraded, true)
  })
})
