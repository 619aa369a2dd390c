'use strict'

// Another server behind a node's address: a replica that was promoted, a name or a balancer that points elsewhere now.
// It may never have had the newest keys, however long it has been running.

const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { Cluster, proxies, urlsOf } = require('../support/cluster')
const { RedisServer } = require('../support/redis-server')
const { allUp, elsewhere, uniqueKey } = require('../support/quorlock')
const { until, within } = require('../support/until')

const MAX_TTL = 1500
const SHORT = { maxTtl: MAX_TTL, defaultTtl: MAX_TTL }
const QUARANTINE = MAX_TTL + 12 + 1000 + (process.env.QUORLOCK_TEST_FENCING === '1' ? 10_000 : 0)

async function setUp(t) {
  const cluster = await Cluster.start(3)
  t.after(() => cluster.stop())
  const between = await proxies(t, cluster)
  const holder = await allUp(t, urlsOf(between), SHORT)
  const other = await allUp(t, urlsOf(between), { ...SHORT, ...elsewhere })
  const stranger = async (options) => {
    const server = await RedisServer.start(options)
    t.after(() => server.stop())
    return server
  }
  return { cluster, between, holder, other, stranger }
}

/** From now on `server` is behind the address of `proxy`. */
function repoint(proxy, server) {
  proxy.target = server.port
  proxy.reset()
}

const stateIs = (redlocks, node, wanted, deadline) =>
  until(() => redlocks.every((redlock) => redlock.stats().nodes[node].state === wanted), { deadline, what: wanted })

describe('another server behind the address', { concurrency: true }, () => {
  test('of one node: it votes only when what it may not know of has expired', async (t) => {
    const { cluster, between, holder, other, stranger } = await setUp(t)
    const changes = []
    holder.on('nodeDown', ({ error }) => changes.push(error.code))
    const key = uniqueKey()
    const lock = await holder.acquire(key, MAX_TTL, { renew: true })
    const server = await stranger()
    const seen = performance.now()
    repoint(between[0], server)
    await stateIs([holder, other], 0, 'quarantined')
    await until(() => changes.includes('QUARANTINED'), { what: 'an alarm' })
    assert.equal(await other.tryAcquire(key, MAX_TTL), null)
    const theirs = await other.acquire(uniqueKey(), MAX_TTL, { wait: 0 })
    await theirs.release()
    await stateIs([holder, other], 0, 'up', QUARANTINE * 10)
    assert.ok(performance.now() - seen > MAX_TTL)
    // Filled meanwhile, it is as good as the one before.
    await until(async () => (await server.command('GET', key)) === lock.id)
    await cluster.servers[1].kill()
    await lock.extend(MAX_TTL)
    assert.equal(lock.isHeld, true)
    assert.equal(await lock.release(), 'released')
  })

  test('of two nodes: nobody gets in meanwhile, and the holder ends in time', async (t) => {
    const { between, holder, other, stranger } = await setUp(t)
    const key = uniqueKey()
    const lock = await holder.acquire(key, MAX_TTL, { renew: true })
    const { signal, token } = lock
    for (const proxy of between.slice(1)) repoint(proxy, await stranger())
    for (const node of [1, 2]) await stateIs([holder, other], node, 'quarantined')
    await assert.rejects(other.acquire(uniqueKey(), MAX_TTL, { wait: 0 }), { code: 'ERR_QUORUM_UNAVAILABLE' })
    const theirs = await within(QUARANTINE * 10, other.acquire(key, MAX_TTL, { wait: 120_000 }), 'the other')
    assert.deepEqual([signal.aborted, lock.isHeld], [true, false])
    if (token) assert.ok(theirs.token > token)
    assert.equal(await theirs.release(), 'released')
  })

  test('that was its replica, and has everything but what came last', async (t) => {
    const { cluster, between, holder, other, stranger } = await setUp(t)
    const replica = await stranger({ replicaOf: cluster.ports[0] })
    await until(async () => /master_link_status:up/.test(await replica.command('INFO', 'replication')))
    const [early, late] = [uniqueKey('early'), uniqueKey('late')]
    const first = await holder.acquire(early, MAX_TTL, { renew: true })
    await until(async () => (await replica.command('GET', early)) === first.id, { what: 'the replica follows' })
    // It is cut off, misses a lock, and is promoted.
    await replica.command('REPLICAOF', 'NO', 'ONE')
    const second = await holder.acquire(late, MAX_TTL, { renew: true })
    await cluster.servers[0].kill()
    repoint(between[0], replica)
    await stateIs([holder, other], 0, 'quarantined')
    assert.equal(await other.tryAcquire(early, MAX_TTL), null)
    assert.equal(await other.tryAcquire(late, MAX_TTL), null)
    await until(async () => (await replica.command('GET', late)) === second.id, { what: 'it is filled' })
    assert.deepEqual([first.isHeld, second.isHeld], [true, true])
    assert.equal(await first.release(), 'released')
    assert.equal(await second.release(), 'released')
  })
})
