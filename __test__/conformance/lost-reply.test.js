'use strict'

// The node executed the SET, the reply never came: an unknown outcome. Whoever forgets it leaves a key behind that
// refuses everybody, its own next attempt included, until the ttl has passed.

const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { useCluster, proxies, urlsOf } = require('../support/cluster')
const { peers, ioredis, universalAdapters, showsDefect } = require('../support/peers')
const { connected, uniqueKey } = require('../support/quorlock')
const { timed, until } = require('../support/until')

const TTL = 30_000

describe('a SET whose reply is lost', { concurrency: true }, () => {
  const cluster = useCluster(3)
  const single = useCluster(1)

  /** Nodes 0 and 1 are held by somebody, node 2 grants but its reply gets lost. */
  async function failedAttempt(t, key, acquire) {
    const [, , node] = t.nodes
    await Promise.all(cluster.servers.slice(0, 2).map((server) => server.command('SET', key, 'foreign', 'PX', TTL)))
    const lost = node.loseReply(key)
    const { error } = await timed(acquire)
    await lost
    return error
  }

  test('redlock-universal leaves the key on the node', async (t) => {
    t.nodes = await proxies(t, cluster)
    const key = uniqueKey()
    const { createRedlock } = peers.universal.api
    const adapters = universalAdapters(await ioredis(t, urlsOf(t.nodes)))
    const lock = createRedlock({ adapters, key, ttl: TTL, retryAttempts: 0 })
    const error = await failedAttempt(t, key, () => lock.acquire())
    const left = await cluster.servers[2].command('PTTL', key)
    showsDefect(t, peers.universal, {
      fails: left > 1000,
      seen: `after "${error?.message}" its key stays for ${left} ms`,
    })
  })

  test('quorlock releases what it may have set', async (t) => {
    t.nodes = await proxies(t, cluster)
    const redlock = await connected(t, urlsOf(t.nodes))
    const key = uniqueKey()
    const error = await failedAttempt(t, key, () => redlock.acquire(key, TTL, { wait: 0 }))
    assert.equal(error?.code, 'ERR_LOCK_CONTENDED')
    await until(async () => (await cluster.servers[2].command('EXISTS', key)) === 0, { what: 'the key is released' })
  })

  test('redlock-universal: every retry is refused by its own key', async (t) => {
    const [node] = await proxies(t, single)
    const key = uniqueKey()
    const { createLock } = peers.universal.api
    const [adapter] = universalAdapters(await ioredis(t, [node.url]))
    const lock = createLock({ adapter, key, ttl: TTL, retryAttempts: 5, retryDelay: 50 })
    const lost = node.loseReply(key)
    const { error } = await timed(() => lock.acquire())
    await lost
    const left = await single.servers[0].command('PTTL', key)
    showsDefect(t, peers.universal, {
      fails: error !== undefined && left > 1000,
      seen: `the resource is free, yet: "${error?.message}", and the key stays for ${left} ms`,
    })
  })

  test('quorlock gets the free lock with its next round', async (t) => {
    const [node] = await proxies(t, single)
    const redlock = await connected(t, node.url)
    const key = uniqueKey()
    const lost = node.loseReply(key)
    const lock = await redlock.acquire(key, TTL)
    await lost
    assert.equal(await single.servers[0].command('GET', key), lock.id)
    assert.equal(await lock.release(), 'released')
  })
})
