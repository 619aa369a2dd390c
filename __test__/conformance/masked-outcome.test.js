'use strict'

// What the caller's own function returned or threw is the outcome of the call, also when the lock was lost meanwhile
// and its release fails.

const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { useCluster, proxies, urlsOf } = require('../support/cluster')
const { peers, ioredis, showsDefect } = require('../support/peers')
const { connected, uniqueKey } = require('../support/quorlock')
const { timed } = require('../support/until')

class OutOfStock extends Error {}

describe('the outcome of the guarded function', { concurrency: true }, () => {
  const cluster = useCluster(3)

  for (const peer of [peers.redlock5, peers.sesamecare]) {
    test(`${peer.name} replaces the business error by its own`, async (t) => {
      const key = uniqueKey()
      const redlock = new peer.Redlock(await ioredis(t, cluster.urls))
      const mine = new OutOfStock('no item left')
      const { error, ms } = await timed(() =>
        redlock.using([key], 5000, async () => {
          await cluster.all('DEL', key)
          throw mine
        }),
      )
      showsDefect(t, peer, { fails: error !== mine, seen: `after ${Math.round(ms)} ms: ${error.message}` })
    })

    test(`${peer.name} replaces the result by an error`, async (t) => {
      const key = uniqueKey()
      const redlock = new peer.Redlock(await ioredis(t, cluster.urls))
      const { value, error } = await timed(() =>
        redlock.using([key], 5000, async () => {
          await cluster.all('DEL', key)
          return 'order 7'
        }),
      )
      showsDefect(t, peer, { fails: value !== 'order 7', seen: `instead of the result: ${error?.message}` })
    })
  }

  test('quorlock rejects with the very object the function threw', async (t) => {
    const key = uniqueKey()
    const redlock = await connected(t, cluster.urls)
    for (const mine of [new OutOfStock('no item left'), 'a string', undefined]) {
      const outcome = await redlock
        .withLock(key, 5000, async () => {
          await cluster.all('DEL', key)
          throw mine
        })
        .then(
          () => assert.fail('it threw'),
          (error) => ({ error }),
        )
      assert.equal(outcome.error, mine)
    }
  })

  test('quorlock resolves with the result', async (t) => {
    const key = uniqueKey()
    const redlock = await connected(t, cluster.urls)
    const order = { id: 7 }
    const outcome = await redlock.withLock(key, 5000, async () => {
      await cluster.all('DEL', key)
      return order
    })
    assert.equal(outcome, order)
  })

  test('quorlock: a release that hangs on every node changes nothing and costs one node timeout at most', async (t) => {
    const nodes = await proxies(t, cluster)
    const redlock = await connected(t, urlsOf(nodes), { nodeTimeout: 200 })
    const order = { id: 8 }
    let end
    const outcome = await redlock.withLock(uniqueKey(), 5000, async () => {
      for (const node of nodes) node.halfOpen()
      end = performance.now()
      return order
    })
    const ms = performance.now() - end
    assert.equal(outcome, order)
    assert.ok(ms < 2000, `the result came ${ms} ms after the function had ended`)
  })
})
