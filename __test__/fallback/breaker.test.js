'use strict'

// A quorum that is stopped must not cost every call its time; and when it runs again the nodes are asked again. Shown
// by what reaches the nodes and by the states, not by the clock.

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { changesOf } = require('./away')
const { useCluster } = require('../support/cluster')
const { allUp, uniqueKey, LockContendedError, QuorumUnavailableError } = require('../support/quorlock')
const { until, within } = require('../support/until')

/** How many a server has refused to carry out. */
async function refusedSets(server) {
  const stats = await server.command('INFO', 'commandstats')
  return Number(/cmdstat_set:.*rejected_calls=(\d+)/.exec(stats)?.[1] ?? 0)
}

describe('the breaker', () => {
  const cluster = useCluster(3)
  const stop = (t, count = 3) => {
    const stopped = cluster.servers.slice(0, count)
    for (const server of stopped) server.pause()
    t.after(() => resume(stopped))
    return () => resume(stopped)
  }
  const resume = (servers) => {
    for (const server of servers) server.resume()
  }

  test('a wait that is too short for any answer leads to no fallback, and says nothing of the nodes', async (t) => {
    const breaker = { failures: 1, probeInterval: 300, successes: 1 }
    const redlock = await allUp(t, cluster.urls, { nodeTimeout: 20_000, fallback: 'local', breaker })
    const go = stop(t)
    await assert.rejects(redlock.withLock(uniqueKey(), 60_000, assert.fail, { wait: 50 }), (error) => {
      assert.match(error.message, /: not granted before the wait ended after 1 attempt$/)
      return error instanceof LockContendedError && error.votes.length === 0
    })
    assert.deepEqual([redlock.stats().breaker, redlock.stats().degraded], ['closed', false])
    go()
    assert.equal(await redlock.withLock(uniqueKey(), 60_000, (lock) => lock.degraded), false)
  })

  test('after three failures the nodes are not asked; they are again when they can vote, and two probes close it', async (t) => {
    const breaker = { failures: 3, probeInterval: 300, successes: 2 }
    const redlock = await allUp(t, cluster.urls, { nodeTimeout: 1000, fallback: 'local', fallbackAfter: 0, breaker })
    const changes = changesOf(redlock)
    await cluster.all('CONFIG', 'RESETSTAT')
    const go = stop(t)
    const states = []
    for (let i = 0; i < 3; i++) {
      states.push(redlock.stats().breaker)
      assert.equal(await redlock.withLock(uniqueKey(), 20_000, (lock) => lock.degraded), true)
    }
    assert.deepEqual(states, ['closed', 'closed', 'closed'])
    assert.equal(redlock.stats().breaker, 'open')
    for (let i = 0; i < 500; i++)
      assert.equal(await redlock.withLock(uniqueKey(), 20_000, (lock) => lock.degraded), true)
    assert.deepEqual([redlock.stats().breaker, redlock.stats().degraded], ['open', true])

    go()
    // What was asked of them while they stood still, they have carried out by now.
    await cluster.all('PING')
    const asked = await Promise.all(cluster.servers.map((server) => server.calls('set')))
    for (const count of asked) assert.ok(count <= 3, `${asked} locks were asked for, by 503 calls`)

    const given = []
    await until(async () => {
      given.push(await redlock.withLock(uniqueKey(), 20_000, (lock) => lock.degraded))
      return redlock.stats().breaker === 'closed'
    })
    assert.deepEqual(given.slice(-2), [false, false])
    assert.equal(await redlock.withLock(uniqueKey(), 20_000, (lock) => lock.degraded), false)
    assert.deepEqual(
      changes.map(({ degraded }) => degraded),
      [true, false],
    )
  })

  test('all who wait when it opens go to the fallback with it', async (t) => {
    const options = { nodeTimeout: 1000, fallback: 'local', fallbackAfter: 0, breaker: { failures: 1 }, wait: 600_000 }
    const redlock = await allUp(t, cluster.urls, options)
    stop(t)
    const patient = { fallbackAfter: 300_000 }
    const calls = Array.from({ length: 50 }, () =>
      redlock.withLock(uniqueKey(), 20_000, (lock) => lock.degraded, patient),
    )
    await redlock.withLock(uniqueKey(), 1000, () => {})
    assert.deepEqual(new Set(await Promise.all(calls)), new Set([true]))
  })

  test('so do they where the states say nothing, and the nodes have said that they give no votes', async (t) => {
    const options = { nodeTimeout: 1000, fallback: 'local', breaker: { failures: 1 }, wait: 600_000 }
    const redlock = await allUp(t, cluster.urls, options)
    await cluster.all('CONFIG', 'SET', 'maxmemory', '1')
    t.after(() => cluster.all('CONFIG', 'SET', 'maxmemory', '0'))
    const causes = changesOf(redlock)
    const calls = Array.from({ length: 20 }, () => redlock.withLock(uniqueKey(), 20_000, (lock) => lock.degraded))
    assert.equal(await redlock.withLock(uniqueKey(), 1000, (lock) => lock.degraded, { wait: 100 }), true)
    assert.deepEqual(new Set(await within(20_000, Promise.all(calls))), new Set([true]))
    assert.ok(redlock.stats().nodes.every(({ state }) => state === 'up'))
    assert.deepEqual(new Set(causes[0].cause.votes.map(({ code }) => code)), new Set(['OOM']))
    const strict = { fallback: 'throw', wait: 0 }
    await assert.rejects(redlock.acquire(uniqueKey(), 1000, strict), /the nodes were not asked \(.* faulted: OOM/)
  })

  test('without a fallback it rejects at once, and says why', async (t) => {
    const breaker = { failures: 2, probeInterval: 100 }
    const redlock = await allUp(t, cluster.urls, { wait: 300, breaker })
    const go = stop(t, 2)
    for (let i = 0; i < 2; i++) await assert.rejects(redlock.acquire(uniqueKey(), 1000), QuorumUnavailableError)
    const down = () => redlock.stats().nodes.filter(({ state }) => state === 'down').length === 2
    await until(down, { what: 'two nodes are down' })
    await assert.rejects(redlock.acquire('some key', 1000), (error) => {
      assert.ok(error instanceof QuorumUnavailableError)
      assert.match(
        error.message,
        /^could not lock "some key": the circuit breaker is open, the nodes were not asked \(/,
      )
      assert.equal(error.attempts, 0)
      assert.deepEqual(
        error.votes.map(({ vote, code }) => [vote, code]),
        [
          ['faulted', 'TIMEOUT'],
          ['faulted', 'TIMEOUT'],
        ],
      )
      assert.ok(error.cause instanceof QuorumUnavailableError)
      return true
    })
    await assert.rejects(redlock.withLock('some key', 1000, assert.fail), /the circuit breaker is open/)
    await assert.rejects(redlock.tryAcquire('some key', 1000), /the circuit breaker is open/)
    assert.equal(redlock.stats().degraded, false)
    go()
    await until(() =>
      redlock.withLock(uniqueKey(), 20_000, () => redlock.stats().breaker === 'closed').catch(() => false),
    )
  })

  test('nodes that are up and cannot vote: the probe is one round, and fails', async (t) => {
    const breaker = { failures: 1, probeInterval: 50, successes: 1 }
    const redlock = await allUp(t, cluster.urls, {
      nodeTimeout: 1000,
      fallback: 'local',
      fallbackAfter: 0,
      breaker,
      wait: 200,
    })
    await cluster.all('CONFIG', 'SET', 'maxmemory', '1')
    t.after(() => cluster.all('CONFIG', 'SET', 'maxmemory', '0'))
    const ask = () => redlock.withLock(uniqueKey(), 20_000, (lock) => lock.degraded)
    assert.equal(await ask(), true)
    assert.equal(redlock.stats().breaker, 'open')
    assert.ok(redlock.stats().nodes.every(({ state }) => state === 'up'))
    const before = await refusedSets(cluster.servers[0])
    await until(async () => {
      assert.equal(await ask(), true)
      return (await refusedSets(cluster.servers[0])) > before
    })
    assert.equal(redlock.stats().breaker, 'open')
    await cluster.all('CONFIG', 'SET', 'maxmemory', '0')
    await until(async () => (await ask()) === false)
    assert.equal(redlock.stats().breaker, 'closed')
  })

  test('who holds a key on the nodes keeps it from the fallback of the same process, and the other way round', async (t) => {
    const breaker = { failures: 1, probeInterval: 50, successes: 1 }
    const redlock = await allUp(t, cluster.urls, { nodeTimeout: 1000, fallback: 'local', fallbackAfter: 0, breaker })
    const [early, late] = [uniqueKey(), uniqueKey()]

    const before = await redlock.acquire(early, 4000)
    const go = stop(t)
    assert.equal(await redlock.tryAcquire([late, early], 1000), null)
    await assert.rejects(redlock.acquire(early, 1000, { wait: 100 }), LockContendedError)
    await assert.rejects(redlock.withLock(early, 1000, assert.fail, { wait: 100 }), (error) => {
      assert.match(error.message, /this process still holds it, granted by the nodes before they went away/)
      return error instanceof LockContendedError && error.retryAfter > 0
    })
    const next = await redlock.acquire(early, 1000, { wait: 60_000 })
    assert.deepEqual([before.isHeld, next.degraded], [false, true])
    await next.release()

    const during = await redlock.acquire(late, 30_000)
    assert.equal(during.degraded, true)
    go()
    await until(async () => (await redlock.withLock(uniqueKey(), 20_000, (lock) => lock.degraded)) === false)
    assert.equal(redlock.stats().breaker, 'closed')
    assert.equal(await redlock.tryAcquire(late, 1000), null)
    await assert.rejects(redlock.acquire([early, late], 1000, { wait: 100 }), (error) => {
      assert.match(error.message, /this process still holds it, granted by the fallback while the nodes were away/)
      return error instanceof LockContendedError
    })
    let isOver = false
    const after = redlock.withLock(late, 20_000, (lock) => [lock.degraded, isOver], { wait: 60_000 })
    isOver = true
    await during.release()
    assert.deepEqual(await after, [false, true])
  })
})
