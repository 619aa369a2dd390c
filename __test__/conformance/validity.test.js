'use strict'

// A lock counts from the moment its winning round was sent. What arrives after the ttl is no lock, and the time spent
// waiting for others is not part of it.

const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { useCluster, proxies, urlsOf } = require('../support/cluster')
const { peers, ioredis, showsDefect } = require('../support/peers')
const { connected, open, uniqueKey, QuorumUnavailableError } = require('../support/quorlock')
const { timed, until } = require('../support/until')

describe('validity', { concurrency: true }, () => {
  const cluster = useCluster(3)

  async function slowNodes(t, ms, count = 3) {
    const nodes = await proxies(t, cluster)
    const slow = () => {
      for (const node of nodes.slice(3 - count)) node.toServer.delay(ms)
    }
    return { urls: urlsOf(nodes), slow }
  }

  for (const peer of [peers.redlock5, peers.sesamecare]) {
    test(`${peer.name} hands out a lock whose time is over`, async (t) => {
      const { urls, slow } = await slowNodes(t, 400)
      const clients = await ioredis(t, urls)
      slow()
      const lock = await new peer.Redlock(clients, { retryCount: 0 }).acquire([uniqueKey()], 300)
      const left = lock.expiration - Date.now()
      showsDefect(t, peer, { fails: left < 0, seen: `400 ms slow nodes, ttl 300: a lock with ${left} ms of validity` })
    })
  }

  test('quorlock hands out nothing when the nodes are slower than the ttl, and leaves nothing behind', async (t) => {
    const { urls, slow } = await slowNodes(t, 400)
    const redlock = await connected(t, urls)
    slow()
    const key = uniqueKey()
    const { error } = await timed(() => redlock.acquire(key, 300, { retryCount: 0 }))
    assert.ok(error instanceof QuorumUnavailableError, String(error))
    await until(async () => (await cluster.holding(key)) === 0)
  })

  test('quorlock counts from the sending: slower nodes leave less, never more', async (t) => {
    const { urls, slow } = await slowNodes(t, 150)
    const redlock = await connected(t, urls)
    slow()
    const start = performance.now()
    const lock = await redlock.acquire(uniqueKey(), 5000, { retryCount: 0 })
    const left = lock.remaining
    const since = performance.now() - start
    assert.ok(since >= 140, `the nodes were slow: ${since}`)
    assert.ok(left <= 5000 - since + 5, `${left} ms left, ${since} ms after asking`)
    assert.ok(left > 0)
  })

  for (const peer of [peers.redlock5]) {
    test(`${peer.name} counts the waiting as part of the lock`, async (t) => {
      const key = uniqueKey()
      const redlock = new peer.Redlock(await ioredis(t, cluster.urls), { retryCount: 30, retryDelay: 50 })
      await cluster.all('SET', key, 'foreign', 'PX', 900)
      const lock = await redlock.acquire([key], 500)
      const left = lock.expiration - Date.now()
      showsDefect(t, peer, {
        fails: left < 0,
        seen: `waited 900 ms, ttl 500: a fresh lock with ${left} ms of validity`,
      })
    })
  }

  test('quorlock has the whole ttl after a long wait', async (t) => {
    const key = uniqueKey()
    await cluster.all('SET', key, 'foreign', 'PX', 1500)
    const lock = await open(t, cluster.urls).acquire(key, 3000, { wait: 10_000 })
    // With the waiting counted, less than 1,500 ms would be left.
    assert.ok(lock.remaining > 1500, `${lock.remaining} ms left`)
    assert.equal(lock.isHeld, true)
  })

  test('redis-semaphore says acquired when two of three keys have expired', async (t) => {
    const { urls, slow } = await slowNodes(t, 1500, 1)
    const key = uniqueKey()
    const { RedlockMutex } = peers.semaphore.api
    const clients = await ioredis(t, urls)
    slow()
    const mutex = new RedlockMutex(clients, key, { lockTimeout: 500, acquireTimeout: 5000, refreshInterval: 0 })
    const { value, ms } = await timed(() => mutex.tryAcquire())
    const left = await cluster.holding(`mutex:${key}`)
    showsDefect(t, peers.semaphore, {
      fails: value === true && left < 2,
      seen: `lockTimeout 500, one slow node: acquired is ${value} after ${Math.round(ms)} ms with ${left} of 3 keys left`,
    })
  })

  test('quorlock does not wait for the slow node', async (t) => {
    const { urls, slow } = await slowNodes(t, 5000, 1)
    const redlock = await connected(t, urls, { nodeTimeout: 1000 })
    slow()
    const { value: lock, ms } = await timed(() => redlock.acquire(uniqueKey(), 4000, { retryCount: 0 }))
    assert.ok(ms < 900, `took ${ms} ms`)
    assert.ok(lock.isHeld && lock.remaining > 50, `${lock.remaining} ms left`)
  })
})
