'use strict'

// One of three nodes hangs: it accepts connections and requests and never answers (SIGSTOP). The other two are a
// quorum, so nobody has to wait for it.

const { describe, test, before } = require('node:test')
const assert = require('node:assert/strict')
const { suiteScope } = require('../support/suite')
const { useCluster } = require('../support/cluster')
const { peers, ioredis, universalAdapters, showsDefect } = require('../support/peers')
const { allUp, uniqueKey } = require('../support/quorlock')
const { stateAfter, timed } = require('../support/until')

const NODE_TIMEOUT = 1500

describe('one hung node of three', { concurrency: true }, () => {
  const cluster = useCluster(3)
  let clients
  let redlock

  // Everybody connects while the node still answers: the fault is the hanging, not a failed connection.
  const suite = suiteScope()
  before(async () => {
    clients = await ioredis(suite, cluster.urls)
    // A timeout long enough to tell "did not wait for the node" from "waited until its timeout".
    redlock = await allUp(suite, cluster.urls, { nodeTimeout: NODE_TIMEOUT })
    const lock = await redlock.acquire(uniqueKey(), 1000)
    await lock.release()
    cluster.servers[2].pause()
  })

  test('redlock 4 waits as long as its client does', async (t) => {
    const locking = new peers.redlock4.Redlock(clients, { retryCount: 0 }).lock(uniqueKey(), 5000)
    Promise.resolve(locking).catch(() => {})
    const state = await stateAfter(2000, Promise.resolve(locking))
    showsDefect(t, peers.redlock4, { fails: state === 'pending', seen: `acquire is ${state} after 2,000 ms` })
  })

  test('redlock-universal waits five seconds', async (t) => {
    const { createRedlock } = peers.universal.api
    const lock = createRedlock({ adapters: universalAdapters(clients), key: uniqueKey(), ttl: 30_000 })
    const { value, ms } = await timed(() => lock.acquire())
    showsDefect(t, peers.universal, {
      fails: ms > 3000,
      seen: `acquire ${value ? 'succeeded' : 'failed'} after ${Math.round(ms)} ms`,
    })
  })

  test('redis-semaphore: acquireTimeout 1000 does not end the wait', async (t) => {
    const { RedlockMutex } = peers.semaphore.api
    const mutex = new RedlockMutex(clients, uniqueKey(), { acquireTimeout: 1000, lockTimeout: 5000 })
    const acquiring = mutex.acquire()
    acquiring.catch(() => {})
    const state = await stateAfter(3000, acquiring)
    mutex.stopRefresh()
    showsDefect(t, peers.semaphore, { fails: state === 'pending', seen: `acquire is ${state} after 3,000 ms` })
  })

  test('quorlock decides with the other two', async () => {
    const { value: lock, ms } = await timed(() => redlock.acquire(uniqueKey(), 20_000))
    assert.ok(ms < 1000, `acquire took ${ms} ms`)
    const extended = await timed(() => lock.extend(30_000))
    assert.equal(extended.error, undefined)
    assert.ok(extended.ms < 1000, `extend took ${extended.ms} ms`)
    const released = await timed(() => lock.release())
    assert.equal(released.value, 'released')
    assert.ok(released.ms < 1000, `release took ${released.ms} ms`)
  })

  test('quorlock settles 1:1 and a hung node within the node timeout', async () => {
    const key = uniqueKey()
    await cluster.servers[1].command('SET', key, 'foreign', 'PX', 60_000)
    const { value, ms } = await timed(() => redlock.tryAcquire(key, 20_000))
    assert.equal(value, null)
    assert.ok(ms < NODE_TIMEOUT * 3, `took ${ms} ms`)
  })
})
