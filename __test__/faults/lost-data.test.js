'use strict'

// Servers that come back with less than they knew: their append-only file has lost its tail, as after a power cut, or
// their data are those of an old snapshot. At one node nobody notices; at two nobody gets in before the ttl has passed.

const fs = require('node:fs')
const path = require('node:path')
const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { Cluster } = require('../support/cluster')
const { allUp, elsewhere, uniqueKey } = require('../support/quorlock')
const { timed, until, within } = require('../support/until')

const MAX_TTL = 1500
const SHORT = { maxTtl: MAX_TTL, defaultTtl: MAX_TTL }
/** `maxTtl`, its drift, and the second that uptimes are short of; with fencing ten seconds more. */
const QUARANTINE = MAX_TTL + 12 + 1000 + (process.env.QUORLOCK_TEST_FENCING === '1' ? 10_000 : 0)

async function setUp(t, options) {
  const cluster = await Cluster.start(3, options)
  t.after(() => cluster.stop())
  const holder = await allUp(t, cluster.urls, SHORT)
  const other = await allUp(t, cluster.urls, { ...SHORT, ...elsewhere })
  return { cluster, holder, other }
}

const areQuarantined = (redlocks, count) =>
  until(
    () =>
      redlocks.every(
        (redlock) => redlock.stats().nodes.filter(({ state }) => state === 'quarantined').length === count,
      ),
    { what: `${count} nodes are in quarantine` },
  )

/** The newest append-only file, wherever this version keeps it. */
function appendOnlyFile({ dir }) {
  const folder = path.join(dir, 'appendonlydir')
  if (!fs.existsSync(folder)) return path.join(dir, 'appendonly.aof')
  const [name] = fs.readdirSync(folder).filter((file) => file.endsWith('.incr.aof'))
  return path.join(folder, name)
}

/** Killed, its last command cut short, started again: it has forgotten `key` and nothing else. */
async function losesTail(server, key, earlier) {
  await server.kill()
  const file = appendOnlyFile(server)
  fs.truncateSync(file, fs.statSync(file).size - 5)
  await server.launch()
  assert.equal(await server.command('EXISTS', key), 0)
  assert.equal(await server.command('EXISTS', earlier), 1)
}

/** A renewed lock of `holder` on every node, whose key is the last thing that each has written. */
async function heldLast({ cluster, holder }) {
  const key = uniqueKey()
  const earlier = uniqueKey('earlier')
  await cluster.all('SET', earlier, 'x', 'PX', 60_000)
  const lock = await holder.acquire(key, MAX_TTL)
  await until(async () => (await cluster.holding(key)) === 3, { every: 1 })
  return { key, earlier, lock }
}

describe('the tail of the append-only file is lost', { concurrency: true }, () => {
  const appendonly = { appendonly: true }

  test('at one node: the lock is held and renewed, nobody else gets it, nobody sees an error', async (t) => {
    const context = await setUp(t, appendonly)
    const { cluster, holder, other } = context
    const { key, earlier, lock } = await heldLast(context)
    await losesTail(cluster.servers[0], key, earlier)
    await lock.extend(MAX_TTL)
    assert.equal(lock.isHeld, true)
    await areQuarantined([holder, other], 1)
    assert.equal(await other.tryAcquire(key, MAX_TTL), null)
    const theirs = await other.acquire(uniqueKey(), MAX_TTL, { wait: 0 })
    assert.equal(await theirs.release(), 'released')
    assert.equal(await lock.release(), 'released')
  })

  test('at two nodes: nobody gets it while it may be held, and then somebody does', async (t) => {
    const context = await setUp(t, appendonly)
    const { cluster, holder, other } = context
    const { key, earlier, lock } = await heldLast(context)
    await Promise.all(cluster.servers.slice(1).map((server) => losesTail(server, key, earlier)))
    await areQuarantined([holder, other], 2)
    const refused = await timed(() => other.tryAcquire(key, MAX_TTL))
    // The node that has forgotten nothing refuses while the key lives there; the others do not count.
    assert.ok(refused.value === null || refused.error?.code === 'ERR_QUORUM_UNAVAILABLE', String(refused.error))
    const { token, signal } = lock
    const theirs = await within(QUARANTINE * 10, other.acquire(key, MAX_TTL, { wait: 120_000 }), 'the other')
    assert.equal(lock.isHeld, false)
    assert.ok(signal.aborted)
    if (token) assert.ok(theirs.token > token)
    assert.equal(await theirs.release(), 'released')
  })
})

describe('the data are those of an old snapshot', { concurrency: true }, () => {
  /** A snapshot in which `key` belongs to a holder who has released it since, in favour of a second one. */
  async function heldSince({ cluster, holder }, nodes) {
    const key = uniqueKey()
    const stale = await holder.acquire(key, MAX_TTL)
    await until(async () => (await cluster.holding(key)) === 3, { every: 1 })
    // An old one, so that it has not expired by the time it is read.
    await Promise.all(nodes.map((server) => server.command('PEXPIRE', key, 60_000)))
    await Promise.all(nodes.map((server) => server.command('SAVE')))
    assert.equal(await stale.release(), 'released')
    await until(async () => (await cluster.holding(key)) === 0)
    const lock = await holder.acquire(key, MAX_TTL, { wait: 0 })
    await until(async () => (await cluster.holding(key)) === 3, { every: 1 })
    return { key, stale, lock }
  }

  async function goesBack(server, key, stale) {
    await server.kill()
    await server.launch()
    assert.equal(await server.command('GET', key), stale.id)
  }

  test('at one node: what it remembers wrongly keeps nobody out, and what it has forgotten lets nobody in', async (t) => {
    const context = await setUp(t)
    const { cluster, holder, other } = context
    const [server] = cluster.servers
    const { key, stale, lock } = await heldSince(context, [server])
    await goesBack(server, key, stale)
    await areQuarantined([holder, other], 1)
    await lock.extend(MAX_TTL)
    assert.equal(await other.tryAcquire(key, MAX_TTL), null)
    assert.equal(await lock.release(), 'released')
    const next = await other.acquire(key, MAX_TTL, { wait: 5000 })
    assert.equal(await next.release(), 'released')
    assert.equal(await server.command('GET', key), stale.id, 'nobody deletes what is not his')
  })

  test('at two nodes: the stale key keeps everybody out until it expires, the holder too', async (t) => {
    const context = await setUp(t)
    const { cluster, holder, other } = context
    const old = cluster.servers.slice(1)
    const { key, stale, lock } = await heldSince(context, old)
    const { token, signal } = lock
    await Promise.all(old.map((server) => goesBack(server, key, stale)))
    await areQuarantined([holder, other], 2)
    await until(() => signal.aborted || !lock.isHeld, { what: 'it cannot be renewed' })
    const waiting = other.acquire(key, MAX_TTL, { wait: 120_000 })
    await until(() => other.stats().nodes.every(({ state }) => state === 'up'), { deadline: QUARANTINE * 10 })
    assert.equal(await other.tryAcquire(uniqueKey(), MAX_TTL).then((lock) => lock?.release()), 'released')
    assert.equal(await other.tryAcquire(key, MAX_TTL), null, 'it still is not free')
    await Promise.all(old.map((server) => server.command('PEXPIRE', key, 1)))
    const theirs = await within(10_000, waiting, 'the other')
    if (token) assert.ok(theirs.token > token)
    assert.equal(await theirs.release(), 'released')
  })
})
