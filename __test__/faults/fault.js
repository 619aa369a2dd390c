'use strict'

// One fault, looked at from both sides, over three real servers with a proxy before each:
//   at one node     nobody notices: acquire, extend and release succeed, and no call waits for the node
//   at two nodes    every call fails by its deadline, and says per node why
//   taken back      the node votes again, by itself
// and each change of a node's state is announced once.

const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { Cluster, proxies, urlsOf } = require('../support/cluster')
const { open, uniqueKey, QuorumUnavailableError } = require('../support/quorlock')
const { sleep, timed, until } = require('../support/until')

const NODE_TIMEOUT = 500
/** No call waits for a node longer than the node timeout; the tenfold is for a busy machine. */
const BOUND = NODE_TIMEOUT * 10

/**
 * A Redlock over proxied servers, every node up, and a record of all changes of state from then on. A node that is back
 * votes at once: what keeps it from that has tests of its own.
 */
async function setUp(t, { serverOptions, options, count = 3 } = {}) {
  const cluster = await Cluster.start(count, serverOptions)
  t.after(() => cluster.stop())
  const between = await proxies(t, cluster)
  const redlock = open(t, urlsOf(between), { nodeTimeout: NODE_TIMEOUT, restartGuard: false, ...options })
  // Their first nodeUp is waited for, so that it does not count among the changes of the test.
  const up = new Set()
  redlock.on('nodeUp', ({ node }) => up.add(node))
  await until(() => up.size === count, { what: 'every node is announced up' })
  const nodes = between.map((proxy, i) => ({ proxy, server: cluster.servers[i], name: redlock.stats().nodes[i].name }))
  return { cluster, nodes, redlock, changes: changesOf(redlock) }
}

/** `['down a', 'up a', ...]`, in the order in which they were announced, optionally of these nodes only. */
function changesOf(redlock, names) {
  const changes = []
  const note = (what) => (event) => {
    if (!names || names.includes(event.node)) changes.push(`${what} ${event.node}`)
  }
  redlock.on('nodeDown', note('down'))
  redlock.on('nodeUp', note('up'))
  return changes
}

async function inTime(what, call) {
  const { value, error, ms } = await timed(call)
  assert.equal(error, undefined, `${what}: ${error}`)
  assert.ok(ms < BOUND, `${what} took ${ms} ms`)
  return value
}

/** Acquire, extend and release, three times, with a lock that lives long enough not to matter. */
async function works(redlock) {
  for (let i = 0; i < 3; i++) {
    const key = uniqueKey()
    const lock = await inTime('acquire', () => redlock.acquire(key, 30_000, { wait: 0 }))
    await inTime('extend', () => lock.extend(30_000))
    assert.equal(await inTime('release', () => lock.release()), 'released')
  }
}

/** Waits until a fresh lock is really on every server: each node votes again. */
async function everyNodeVotes({ redlock, cluster }) {
  await until(
    async () => {
      const key = uniqueKey()
      const lock = await redlock.acquire(key, 30_000)
      try {
        await until(async () => (await cluster.holding(key)) === cluster.servers.length, { deadline: 300 })
        return true
      } finally {
        await lock.release()
      }
    },
    { deadline: 20_000, what: 'every node votes again' },
  )
}

/**
 * The error of a call over too many faulty nodes: its kind, its time and its votes. It is decided as soon as no quorum
 * is possible, so of three faulty nodes the third may not be in it.
 */
async function unavailable(call, { code, message }, faulty) {
  const { error, ms } = await timed(call)
  assert.ok(error instanceof QuorumUnavailableError, String(error))
  assert.equal(error.code, 'ERR_QUORUM_UNAVAILABLE')
  assert.ok(ms < BOUND, `it took ${ms} ms to say so`)
  const names = faulty.map(({ name }) => name)
  const votes = error.votes.filter((vote) => names.includes(vote.node))
  assert.ok(votes.length >= Math.min(2, faulty.length), error.message)
  for (const vote of votes) {
    assert.equal(vote.vote, 'faulted', error.message)
    if (code) assert.ok([code].flat().includes(vote.code), `${vote.code} (${vote.message}) is not ${code}`)
    if (message) assert.match(vote.message, message)
    assert.ok(error.message.includes(vote.node) && error.message.includes(vote.code), error.message)
  }
  return error
}

/** Locks that come and go while a node is stopped: what it was sent of them leaves nothing on it when it goes on. */
async function leavesNothing({ redlock, nodes, cluster }) {
  const [{ server }] = nodes
  server.pause()
  const keys = Array.from({ length: 5 }, () => uniqueKey())
  for (const key of keys) {
    const lock = await inTime('acquire', () => redlock.acquire(key, 60_000))
    assert.equal(await inTime('release', () => lock.release()), 'released')
  }
  server.resume()
  for (const key of keys) {
    await until(async () => (await cluster.holding(key)) === 0, { deadline: 10_000, what: `${key} is released` })
  }
  // Nor does anything come after that.
  await sleep(300)
  assert.deepEqual(await Promise.all(keys.map((key) => cluster.holding(key))), [0, 0, 0, 0, 0])
}

/**
 * Registers the tests of one fault.
 *   inject(node), heal(node)   the fault at one node `{ proxy, server, name }`
 *   code, message              of the votes; `first`, when the first call that meets the fault says it more exactly
 *   announced                  whether the node goes down by it (then once down, once up)
 *   serverOptions, options     of the servers and of the Redlock
 *   also(context, node)        further assertions while one node is faulty
 */
function fault(what, { inject, heal, code, first = code, message, announced = true, serverOptions, options, also }) {
  describe(what, { concurrency: true }, () => {
    test('at one node nobody notices', async (t) => {
      const context = await setUp(t, { serverOptions, options })
      const { redlock, nodes } = context
      const [faulty] = nodes
      const changes = changesOf(redlock, [faulty.name])
      const held = await redlock.acquire(uniqueKey(), 20_000)
      await inject(faulty)
      await works(redlock)
      await inTime('withLock', () => redlock.withLock(uniqueKey(), 5000, () => works(redlock)))
      await inTime('extend of an older lock', () => held.extend(20_000))
      assert.equal(await inTime('release of an older lock', () => held.release()), 'released')
      if (announced) await until(() => changes.length > 0, { what: 'nodeDown' })
      await also?.(context, faulty)
      await heal(faulty)
      await everyNodeVotes(context)
      if (announced) {
        await until(() => changes.length > 1, { what: 'nodeUp' })
        assert.deepEqual([...changes], [`down ${faulty.name}`, `up ${faulty.name}`])
      }
    })

    test('at two nodes every call says why, in time', async (t) => {
      const context = await setUp(t, { serverOptions, options })
      const { redlock, nodes } = context
      const faulty = nodes.slice(1)
      const changes = changesOf(
        redlock,
        faulty.map(({ name }) => name),
      )
      await Promise.all(faulty.map((node) => inject(node)))
      const key = uniqueKey()
      const expected = { code, message }
      const error = await unavailable(() => redlock.acquire(key, 5000, { wait: 0 }), { code: first, message }, faulty)
      assert.equal(error.key, key)
      await unavailable(() => redlock.tryAcquire(key, 5000), expected, faulty)
      let called = false
      await unavailable(() => redlock.withLock(key, 5000, () => (called = true), { wait: 0 }), expected, faulty)
      assert.equal(called, false)
      await unavailable(() => redlock.acquire(key, 5000, { wait: 0 }), expected, faulty)
      await Promise.all(faulty.map((node) => heal(node)))
      await everyNodeVotes(context)
      if (announced) {
        await until(() => changes.length >= 4, { what: 'two nodes down and up' })
        assert.deepEqual([...changes].sort(), faulty.flatMap(({ name }) => [`down ${name}`, `up ${name}`]).sort())
      }
    })
  })
}

module.exports = {
  fault,
  setUp,
  changesOf,
  inTime,
  works,
  everyNodeVotes,
  unavailable,
  leavesNothing,
  NODE_TIMEOUT,
  BOUND,
}
