'use strict'

// The connection over which who waits is told: messages that are lost on it, and a server that hangs up because too much
// had to be sent over it. The wait goes on, over a new one or by its poll.

const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { Cluster, proxies, urlsOf } = require('../support/cluster')
const { allUp, uniqueKey } = require('../support/quorlock')
const { until, within } = require('../support/until')

const TTL = 60_000
/** So long that neither a poll nor the end of a ttl can be what ends a wait. */
const NO_POLL = { wait: 120_000, retryDelay: 100_000 }
const SOON = 5000
const channelOf = (key) => `${key}:quorlock:wake`

async function setUp(t) {
  const cluster = await Cluster.start(3)
  t.after(() => cluster.stop())
  const between = await proxies(t, cluster)
  return { cluster, between, redlock: await allUp(t, urlsOf(between)) }
}

const isWaitedFor = (cluster, key) =>
  until(async () => (await cluster.all('PUBSUB', 'NUMSUB', channelOf(key))).every(([, n]) => n === 1), {
    what: 'somebody waits',
  })

const heldByHand = (cluster, key) => cluster.all('SET', key, 'f'.repeat(32), 'PX', TTL)

/** The connections that have subscribed to something, as the server names them. */
const subscribers = async (server) =>
  (await server.command('CLIENT', 'LIST'))
    .split('\n')
    .filter((line) => / sub=[1-9]/.test(line))
    .map((line) => line.match(/^id=(\d+)/)[1])

describe('too much for the connection of who waits', { concurrency: true }, () => {
  test('the server hangs up (client-output-buffer-limit): it is connected to again, and the release heard of', async (t) => {
    const { cluster, redlock } = await setUp(t)
    for (const kind of ['normal', 'pubsub']) {
      await cluster.all('CONFIG', 'SET', 'client-output-buffer-limit', `${kind} 100000 0 0`)
    }
    const key = uniqueKey()
    await heldByHand(cluster, key)
    const waiting = redlock.acquire(key, TTL, NO_POLL)
    await isWaitedFor(cluster, key)
    const before = await Promise.all(cluster.servers.map(subscribers))
    await cluster.all('PUBLISH', channelOf(key), 'x'.repeat(1_000_000))
    for (const [i, server] of cluster.servers.entries()) {
      await until(async () => (await subscribers(server)).every((id) => !before[i].includes(id)), {
        what: 'the server has hung up',
      })
    }
    await isWaitedFor(cluster, key)
    await cluster.all('DEL', key)
    const lock = await within(SOON, waiting, 'who waits')
    assert.equal(lock.isHeld, true)
    assert.equal(await lock.release(), 'released')
  })

  test('released while the server had hung up: it is looked at once more', async (t) => {
    const { cluster, redlock } = await setUp(t)
    await cluster.all('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 100000 0 0')
    const key = uniqueKey()
    await heldByHand(cluster, key)
    const waiting = redlock.acquire(key, TTL, NO_POLL)
    await isWaitedFor(cluster, key)
    await cluster.all('PUBLISH', channelOf(key), 'x'.repeat(1_000_000))
    await cluster.all('DEL', key)
    const lock = await within(SOON, waiting, 'who waits')
    assert.equal(await lock.release(), 'released')
  })

  test('ten thousand messages that mean nothing: the memory stays as it is, and the release is heard of', async (t) => {
    const { cluster, redlock } = await setUp(t)
    const key = uniqueKey()
    await heldByHand(cluster, key)
    const waiting = redlock.acquire(key, TTL, NO_POLL)
    await isWaitedFor(cluster, key)
    const before = process.memoryUsage().rss
    for (let i = 0; i < 100; i++) {
      await Promise.all(Array.from({ length: 100 }, () => cluster.all('PUBLISH', channelOf(key), 'x'.repeat(1000))))
    }
    const grown = (process.memoryUsage().rss - before) / 1_048_576
    assert.ok(grown < 128, `${Math.round(grown)} MB more`)
    assert.equal(redlock.stats().waiting, 1)
    await cluster.all('DEL', key)
    const lock = await within(SOON, waiting, 'who waits')
    assert.equal(await lock.release(), 'released')
  })
})

describe('a message that is lost', () => {
  test('costs no more than the next look: the poll finds it', async (t) => {
    const { cluster, between, redlock } = await setUp(t)
    const key = uniqueKey()
    await heldByHand(cluster, key)
    const waiting = redlock.acquire(key, TTL, { wait: 120_000, retryDelay: 300, retryDelayMax: 300 })
    await isWaitedFor(cluster, key)
    let lost = 0
    // Everything that tells of the key goes under; answers pass.
    for (const { toClient } of between) {
      toClient.corrupt((chunk) => {
        if (!chunk.includes('invalidate')) return chunk
        lost += 1
        return null
      })
    }
    await cluster.all('DEL', key)
    const lock = await within(SOON, waiting, 'who waits')
    assert.ok(lost > 0, 'nothing was lost: the test shows nothing')
    assert.equal(await lock.release(), 'released')
  })
})
