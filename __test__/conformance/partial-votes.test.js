'use strict'

// A round that failed must give back the nodes it won before the next one starts. Kept, they refuse the next round of
// the very same call (its own value), and that of everybody else.

const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { useCluster } = require('../support/cluster')
const { TcpProxy } = require('../support/proxy')
const { freePort } = require('../support/ports')
const { peers, ioredis, showsDefect } = require('../support/peers')
const { connected, uniqueKey } = require('../support/quorlock')
const { timed, sleep } = require('../support/until')

describe('partial votes', { concurrency: true }, () => {
  const cluster = useCluster(3)

  /** Node 0 is free, node 1 is held by somebody for 600 ms from hold() on, node 2 is down. */
  async function briefContention() {
    const key = uniqueKey('brief')
    return {
      key,
      urls: [cluster.urls[0], cluster.urls[1], `redis://127.0.0.1:${await freePort()}`],
      hold: () => cluster.servers[1].command('SET', key, 'foreign', 'PX', 600),
    }
  }

  for (const peer of [peers.redlock5, peers.sesamecare]) {
    test(`${peer.name} blocks itself after a brief contention with one node down`, async (t) => {
      const { key, urls, hold } = await briefContention()
      const clients = await ioredis(t, urls, { enableOfflineQueue: false, lazyConnect: true, retryStrategy: null })
      await Promise.allSettled(clients.map((client) => client.connect()))
      const redlock = new peer.Redlock(clients, { retryCount: 30, retryDelay: 50, retryJitter: 0 })
      await hold()
      const { error, ms } = await timed(() => redlock.acquire([key], 5000))
      showsDefect(t, peer, {
        fails: error?.name === 'ExecutionError',
        seen: `free after 600 ms, yet 30 retries in ${Math.round(ms)} ms ended with: ${error?.message ?? 'a lock'}`,
      })
    })
  }

  test('quorlock gets the lock as soon as it is free', async (t) => {
    const { key, urls, hold } = await briefContention()
    const redlock = await connected(t, urls)
    await hold()
    const lock = await redlock.acquire(key, 5000, { retryCount: 60, retryDelay: 50, retryDelayMax: 50 })
    assert.ok(lock.attempts > 1, 'the first round was refused')
    assert.equal(await lock.release(), 'released')
  })

  /**
   * Three clients, each near to one node and 40 ms from the others, so that each wins exactly one node in round one.
   * `open(urls)` gives a function that acquires and resolves with a function that releases.
   */
  async function threeContenders(t, openClient, key) {
    const contenders = await Promise.all(
      [0, 1, 2].map(async (near) => {
        const nodes = await Promise.all(cluster.ports.map((port) => TcpProxy.start(port)))
        t.after(() => Promise.all(nodes.map((node) => node.stop())))
        const acquire = await openClient(nodes.map((node) => node.url))
        for (const [i, node] of nodes.entries()) if (i !== near) node.toServer.delay(40)
        return acquire
      }),
    )
    return Promise.all(
      contenders.map(async (acquire) => {
        try {
          const release = await acquire(key)
          await release()
          return 'won'
        } catch {
          return 'gave up'
        }
      }),
    )
  }

  for (const peer of [peers.redlock5, peers.sesamecare]) {
    test(`${peer.name}: three contenders with one node each, nobody wins until one has given up`, async (t) => {
      const outcomes = await threeContenders(
        t,
        async (urls) => {
          const redlock = new peer.Redlock(await ioredis(t, urls), { retryCount: 6, retryDelay: 150, retryJitter: 50 })
          return async (key) => {
            const lock = await redlock.acquire([key], 20_000)
            return () => lock.release()
          }
        },
        uniqueKey('three'),
      )
      const lost = outcomes.filter((outcome) => outcome === 'gave up').length
      showsDefect(t, peer, {
        fails: lost > 0,
        seen: `of three contenders ${lost} gave up after 7 rounds, for a lock that nobody held longer than a moment`,
      })
    })
  }

  test('quorlock: three contenders with one node each all get their turn', async (t) => {
    const outcomes = await threeContenders(
      t,
      async (urls) => {
        const redlock = await connected(t, urls)
        return async (key) => {
          const lock = await redlock.acquire(key, 20_000, { wait: 30_000 })
          await sleep(1)
          return () => lock.release()
        }
      },
      uniqueKey('three'),
    )
    assert.deepEqual(outcomes, ['won', 'won', 'won'])
  })
})
