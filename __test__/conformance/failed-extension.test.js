'use strict'

// One failed renewal is no lost lock: there is time left, and the next attempt may succeed.

const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { useCluster, proxies } = require('../support/cluster')
const { peers, ioredis, universalAdapters, showsDefect } = require('../support/peers')
const { connected, uniqueKey } = require('../support/quorlock')
const { sleep, until } = require('../support/until')

const TTL = 4000

describe('one failed extension', { concurrency: true }, () => {
  const cluster = useCluster(1)

  test('redlock-universal gives up with time left', async (t) => {
    const [node] = await proxies(t, cluster)
    const key = uniqueKey()
    const { createLock } = peers.universal.api
    const [adapter] = universalAdapters(await ioredis(t, [node.url], { enableOfflineQueue: false }))
    const lock = createLock({ adapter, key, ttl: TTL })
    let left
    await lock
      .using(async (signal) => {
        // It extends after 80 % of the ttl: the node is away for that one moment.
        await sleep(TTL * 0.75)
        await node.refuse()
        await until(() => signal.aborted, { deadline: TTL })
        left = await cluster.servers[0].command('PTTL', key)
        await node.accept()
      })
      .catch(() => {})
    showsDefect(t, peers.universal, { fails: left > 100, seen: `aborted with ${left} ms of the lock left` })
  })

  test('quorlock tries again and keeps the lock', async (t) => {
    const [node] = await proxies(t, cluster)
    const redlock = await connected(t, node.url)
    const lost = []
    redlock.on('lost', (event) => lost.push(event))
    const down = new Promise((resolve) => redlock.once('nodeDown', resolve))
    await redlock.withLock(uniqueKey(), TTL, async (lock) => {
      // Away from before the first renewal until well after it.
      await node.refuse()
      await down
      await sleep(TTL / 2)
      await node.accept()
      await until(() => lock.remaining > TTL / 2, { deadline: TTL, what: 'the lock is renewed' })
      await sleep(TTL)
      assert.equal(lock.isHeld, true)
      assert.equal(lock.signal.aborted, false)
    })
    assert.deepEqual(lost, [])
  })
})
