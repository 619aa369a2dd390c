'use strict'

// Servers that have restarted, and may have forgotten locks: they do not vote until those have expired.

const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { Cluster } = require('../support/cluster')
const { RedisServer } = require('../support/redis-server')
const { allUp, connected, elsewhere, open, uniqueKey } = require('../support/quorlock')
const { sleep, timed, until, within } = require('../support/until')
const { warnings } = require('../support/warnings')

const MAX_TTL = 1000
/** Its drift, and the second that uptimes are short of. */
const QUARANTINE = MAX_TTL + 12 + 1000
const SHORT = { maxTtl: MAX_TTL, defaultTtl: MAX_TTL }

async function servers(t, options) {
  const cluster = await Cluster.start(3, options)
  t.after(() => cluster.stop())
  return cluster
}

const named = (urls) => urls.map((url) => url.replace('127.0.0.1', 'localhost'))
const uptimeOf = (info) => Number(/uptime_in_seconds:(\d+)/.exec(info)[1])
const stateOf = (redlock, node) => redlock.stats().nodes[node].state

async function restartEmpty(server) {
  await server.kill()
  await server.launch()
}

const replication = (server) => server.command('INFO', 'replication')

/** Makes it a replica of another server, for as long as it takes to have that one's data, and a primary again. */
async function passThroughReplica(server, other, meanwhile) {
  await server.command('REPLICAOF', '127.0.0.1', other.port)
  await until(async () => (await replication(server)).includes('master_link_status:up'))
  await meanwhile()
  await server.command('REPLICAOF', 'NO', 'ONE')
}

/** Uses the nodes until this one is found out. */
async function isFoundOut(redlock, node) {
  await until(async () => {
    await redlock.withLock(uniqueKey(), MAX_TTL, () => {}).catch(() => {})
    return stateOf(redlock, node) === 'down'
  })
}

function codesOf(redlock) {
  const codes = []
  redlock.on('nodeDown', ({ error }) => codes.push(error.code))
  redlock.on('nodeUp', () => codes.push('up'))
  return codes
}

describe('restarts', { concurrency: true }, () => {
  test('a restart that one instance has seen counts for those that the process makes later', async (t) => {
    const cluster = await servers(t)
    const first = await allUp(t, cluster.urls)
    await cluster.servers[2].kill()
    await until(() => stateOf(first, 2) === 'down')
    const key = uniqueKey()
    const lock = await first.acquire(key, 30_000)
    await restartEmpty(cluster.servers[1])
    await until(() => stateOf(first, 1) === 'quarantined')
    for (const options of [elsewhere, { ...elsewhere, fencing: true }]) {
      const later = open(t, cluster.urls, options)
      await until(() => later.stats().nodes.every(({ state }, node) => state === ['up', 'quarantined', 'down'][node]))
      await assert.rejects(later.acquire(key, 5000, { wait: 0 }), { code: 'ERR_QUORUM_UNAVAILABLE' })
    }
    assert.ok(lock.isHeld)
    await first.close({ timeout: 0 })
    const after = open(t, cluster.urls)
    await until(() => stateOf(after, 1) === 'quarantined')
  })

  for (const [restartGuard, second] of [
    [undefined, false],
    [false, true],
  ]) {
    const guarded = restartGuard === false ? 'unguarded' : 'guarded'
    test(`a key that one node has forgotten, ${guarded}: ${second ? 'two hold it' : 'one holds it'}`, async (t) => {
      const cluster = await servers(t)
      const options = { restartGuard }
      const holder = await allUp(t, cluster.urls, options)
      const other = await allUp(t, cluster.urls, { ...options, ...elsewhere })
      const key = uniqueKey()
      // Out of three one was away when the lock was granted, and another restarts without its data.
      await cluster.servers[2].kill()
      const lock = await holder.acquire(key, 30_000)
      await restartEmpty(cluster.servers[1])
      await cluster.servers[2].launch()
      const back = guarded === 'guarded' ? 'quarantined' : 'up'
      await until(() => [1, 2].every((node) => stateOf(other, node) === back))
      const theirs = await other.tryAcquire(key, 30_000).catch((error) => error.code)
      assert.equal(lock.isHeld, true)
      assert.equal(theirs?.isHeld === true, second, String(theirs))
    })
  }

  for (const restartGuard of ['observed', false]) {
    const second = restartGuard === false
    test(`a node promoted with another's data, guard ${restartGuard}: ${second ? 'two hold it' : 'one holds it'}`, async (t) => {
      const cluster = await servers(t)
      const foreign = await RedisServer.start()
      t.after(() => foreign.stop())
      const holder = await allUp(t, cluster.urls, { restartGuard })
      const other = await allUp(t, cluster.urls, { restartGuard, ...elsewhere })
      const key = uniqueKey()
      // Out of three one was away when the lock was granted, and another is overwritten.
      await cluster.servers[2].kill()
      const lock = await holder.acquire(key, 30_000)
      await passThroughReplica(cluster.servers[1], foreign, () => isFoundOut(other, 1))
      await cluster.servers[2].launch()
      await until(() => [1, 2].every((node) => stateOf(other, node) === (second ? 'up' : 'quarantined')))
      const theirs = await other.tryAcquire(key, 30_000).catch((error) => error.code)
      assert.equal(lock.isHeld, true)
      assert.equal(theirs?.isHeld === true, second, String(theirs))
    })
  }

  test('a promoted node votes again in time, and after another promotion in time again', async (t) => {
    const cluster = await servers(t)
    const foreign = await RedisServer.start()
    t.after(() => foreign.stop())
    const redlock = await allUp(t, cluster.urls, SHORT)
    const codes = codesOf(redlock)
    const lock = await redlock.acquire(uniqueKey(), MAX_TTL, { renew: true })
    for (let promotion = 1; promotion <= 2; promotion++) {
      await passThroughReplica(cluster.servers[0], foreign, () => until(() => stateOf(redlock, 0) === 'down'))
      const since = performance.now()
      await until(() => stateOf(redlock, 0) === 'quarantined')
      await until(() => stateOf(redlock, 0) === 'up', { deadline: QUARANTINE * 10 })
      assert.ok(performance.now() - since > MAX_TTL)
    }
    await until(() => codes.length === 6)
    assert.deepEqual(codes, ['READONLY', 'QUARANTINED', 'up', 'READONLY', 'QUARANTINED', 'up'])
    assert.equal(lock.isHeld, true)
    assert.equal(await lock.release(), 'released')
  })

  test('a replica that comes to a node is no promotion of it, though it changes its replication id', async (t) => {
    const cluster = await servers(t)
    const [node] = cluster.servers
    const idOf = async () => (await replication(node)).match(/master_replid:(\w+)/)[1]
    const redlock = await allUp(t, cluster.urls, SHORT)
    const codes = codesOf(redlock)
    const before = await idOf()
    const replica = await RedisServer.start({ replicaOf: node.port })
    t.after(() => replica.stop())
    await until(async () => (await replication(replica)).includes('master_link_status:up'))
    assert.notEqual(await idOf(), before)
    await node.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await until(() => codes.includes('up'))
    assert.deepEqual(codes, ['CONNECT', 'up'])
    assert.equal(stateOf(redlock, 0), 'up')
  })

  for (const restartGuard of ['observed', false]) {
    const second = restartGuard === false
    test(`a node that is away when a client starts and comes up empty, guard ${restartGuard}: ${second ? 'two hold it' : 'one holds it'}`, async (t) => {
      const cluster = await servers(t)
      const holder = await allUp(t, cluster.urls, { restartGuard })
      const key = uniqueKey()
      await cluster.servers[2].kill()
      const lock = await holder.acquire(key, 30_000)
      await cluster.servers[1].kill()
      await cluster.servers[2].launch()
      // By names that nobody here has used for them: as another process, which does not know what this one has seen.
      const other = await connected(t, named(cluster.urls), { restartGuard })
      // A server that has just started may say that it has been running for a second, and nearly two is what that can mean.
      await sleep(3000)
      await cluster.servers[1].launch()
      await until(() => stateOf(other, 1) === (second ? 'up' : 'quarantined'))
      const theirs = await other.tryAcquire(key, 30_000).catch((error) => error.code)
      assert.equal(lock.isHeld, true)
      assert.equal(theirs?.isHeld === true, second, String(theirs))
    })
  }

  test('it says so, with the time left, and votes again by itself', async (t) => {
    const cluster = await servers(t)
    const redlock = await allUp(t, cluster.urls, SHORT)
    const changes = []
    redlock.on('nodeDown', ({ error }) => changes.push(error.code))
    redlock.on('nodeUp', () => changes.push('up'))
    await restartEmpty(cluster.servers[0])
    const restarted = performance.now()
    await until(() => stateOf(redlock, 0) === 'quarantined')
    assert.match(redlock.stats().nodes[0].error, /^QUARANTINED .*votes in \d+ s/)
    const key = uniqueKey()
    const lock = await redlock.acquire(key, MAX_TTL, { renew: true })
    assert.ok(!lock.votes.some(({ node, vote }) => node === redlock.stats().nodes[0].name && vote === 'granted'))
    // It is filled all the same.
    await until(async () => (await cluster.holding(key)) === 3)
    await until(() => changes.includes('up'), { deadline: QUARANTINE * 10 })
    assert.equal(stateOf(redlock, 0), 'up')
    assert.ok(performance.now() - restarted > MAX_TTL)
    assert.deepEqual(
      changes.filter((change) => change !== 'CONNECT'),
      ['QUARANTINED', 'up'],
    )
    assert.equal(lock.isHeld, true)
    assert.equal(await lock.release(), 'released')
    await until(async () => (await cluster.holding(key)) === 0)
  })

  test('a lock is held through restarts one after the other, a quarantine apart', async (t) => {
    const cluster = await servers(t)
    const redlock = await allUp(t, cluster.urls, SHORT)
    const lock = await redlock.acquire(uniqueKey(), MAX_TTL, { renew: true })
    for (const [node, server] of cluster.servers.entries()) {
      await restartEmpty(server)
      await until(() => stateOf(redlock, node) === 'quarantined')
      await until(() => stateOf(redlock, node) === 'up', { deadline: QUARANTINE * 10 })
      const before = redlock.stats().extended
      await until(() => redlock.stats().extended >= before + 3)
      assert.equal(lock.isHeld, true)
    }
    assert.equal(await lock.release(), 'released')
  })

  test('all at once: nobody gets in for as long, and then somebody does', async (t) => {
    const cluster = await servers(t)
    const redlock = await allUp(t, cluster.urls, SHORT)
    await Promise.all(cluster.servers.map(restartEmpty))
    const started = performance.now()
    await until(() => [0, 1, 2].every((node) => stateOf(redlock, node) === 'quarantined'))
    await assert.rejects(redlock.acquire(uniqueKey(), MAX_TTL, { wait: 0 }), (error) => {
      assert.equal(error.code, 'ERR_QUORUM_UNAVAILABLE')
      assert.ok(error.votes.every(({ code }) => code === 'QUARANTINED'))
      return true
    })
    const lock = await within(QUARANTINE * 10, redlock.acquire(uniqueKey(), MAX_TTL, { wait: 30_000 }), 'a lock')
    assert.ok(performance.now() - started > MAX_TTL)
    await lock.release()
  })

  test('strict: a server that has just started does not vote for whoever comes first, either', async (t) => {
    const cluster = await servers(t)
    const started = performance.now()
    const { value: redlock } = await timed(async () => {
      const opened = open(t, cluster.urls, { ...SHORT, restartGuard: 'strict' })
      await opened.connect({ timeout: 30_000 })
      return opened
    })
    assert.ok(performance.now() - started > MAX_TTL / 2)
    const lock = await redlock.acquire(uniqueKey(), MAX_TTL)
    await lock.release()
    // Now that they have been running for a while, by their own count, nobody has to wait.
    const isOld = async (server) => uptimeOf(await server.command('INFO', 'server')) > QUARANTINE / 1000
    await until(async () => (await Promise.all(cluster.servers.map(isOld))).every(Boolean))
    const late = open(t, cluster.urls, { ...SHORT, restartGuard: 'strict', ...elsewhere })
    await late.connect({ timeout: 30_000 })
    assert.ok(late.stats().nodes.every(({ state }) => state !== 'quarantined'))
  })
})

describe('servers that are no nodes', { concurrency: true }, () => {
  test('one in cluster mode', async (t) => {
    const server = await RedisServer.start({ args: ['--cluster-enabled', 'yes'] })
    t.after(() => server.stop())
    const redlock = open(t, server.url)
    await until(() => stateOf(redlock, 0) === 'down')
    assert.match(redlock.stats().nodes[0].error, /cluster mode/)
  })

  test('one that evicts keys votes, with a warning', async (t) => {
    const server = await RedisServer.start({ args: ['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru'] })
    t.after(() => server.stop())
    const warned = warnings(t, 'DEGRADED')
    const redlock = await allUp(t, server.url)
    await until(() => warned.some((message) => message.includes('allkeys-lru')))
    const lock = await redlock.acquire(uniqueKey(), MAX_TTL)
    await lock.release()
  })
})
