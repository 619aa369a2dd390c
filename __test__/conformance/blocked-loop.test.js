'use strict'

// A blocked event loop (a long computation, a garbage collection) stops every JavaScript timer. A renewal that lives
// there is missed, and the first line after the block does not know it yet.

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { useCluster } = require('../support/cluster')
const { peers, ioredis, showsDefect } = require('../support/peers')
const { allUp, connected, uniqueKey } = require('../support/quorlock')
const { block, until } = require('../support/until')

const TTL = 1000
const BLOCK = 2 * TTL
const cluster = useCluster(3)

for (const peer of [peers.redlock5, peers.sesamecare]) {
  test(`${peer.name} loses the lock and does not know`, async (t) => {
    const key = uniqueKey()
    const redlock = new peer.Redlock(await ioredis(t, cluster.urls), { retryCount: 0 })
    let aborted
    let left
    await redlock
      .using([key], TTL, { automaticExtensionThreshold: 400 }, async (signal) => {
        block(BLOCK)
        aborted = signal.aborted
        left = await cluster.holding(key)
      })
      .catch(() => {})
    const seen = `after a block of ${BLOCK} ms with ttl ${TTL}: aborted is ${aborted}, ${left} of 3 keys left`
    showsDefect(t, peer, { fails: aborted === false && left === 0, seen })
  })
}

test('redis-semaphore says acquired after the block', async (t) => {
  const key = uniqueKey()
  const { RedlockMutex } = peers.semaphore.api
  const clients = await ioredis(t, cluster.urls)
  const mutex = new RedlockMutex(clients, key, { lockTimeout: TTL, onLockLost: () => {} })
  await mutex.acquire()
  block(BLOCK)
  const { isAcquired } = mutex
  const left = await cluster.holding(`mutex:${key}`)
  mutex.stopRefresh()
  const seen = `after a block of ${BLOCK} ms with lockTimeout ${TTL}: isAcquired is ${isAcquired}, ${left} of 3 keys left`
  showsDefect(t, peers.semaphore, { fails: isAcquired === true && left === 0, seen })
  await mutex.release().catch(() => {})
})

test('quorlock keeps a renewed lock through the block, on the nodes too', async (t) => {
  const key = uniqueKey()
  const redlock = await allUp(t, cluster.urls)
  await redlock.withLock(key, TTL, async (lock) => {
    await until(async () => (await cluster.holding(key)) === 3)
    block(BLOCK)
    const { isHeld, remaining } = lock
    assert.equal(isHeld, true)
    assert.ok(remaining > 0 && remaining <= TTL, String(remaining))
    assert.equal(lock.signal.aborted, false)
    assert.deepEqual(await cluster.all('GET', key), Array(3).fill(lock.id))
  })
})

test('quorlock knows on the first line after the block that an unrenewed lock is over', async (t) => {
  const key = uniqueKey()
  const redlock = await connected(t, cluster.urls)
  const lock = await redlock.acquire(key, TTL)
  block(BLOCK)
  const { isHeld, remaining } = lock
  assert.equal(isHeld, false)
  assert.equal(remaining, 0)
  assert.equal(lock.signal.aborted, true)
})
