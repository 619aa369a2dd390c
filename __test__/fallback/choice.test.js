'use strict'

// When a call goes to the fallback and when it must not, what becomes of the nodes meanwhile, and who is told.

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { changesOf, cutOff, nowhere, onlyInterface } = require('./away')
const { useCluster } = require('../support/cluster')
const { outside } = require('../support/context')
const {
  allUp,
  open,
  uniqueKey,
  LockContendedError,
  LockLostError,
  QuorumUnavailableError,
  RedlockClosedError,
} = require('../support/quorlock')
const { until, within } = require('../support/until')

/** A provider that nobody may ask. */
const forbidden = {
  createLock: () => assert.fail('the fallback was asked'),
  withLock: () => assert.fail('it was asked'),
}

describe('with nodes that nobody can reach', () => {
  test('nothing falls back unless it is asked for by name', async (t) => {
    const redlock = open(t, await nowhere())
    const key = uniqueKey()
    await assert.rejects(redlock.acquire(key, 1000, { wait: 0 }), QuorumUnavailableError)
    await assert.rejects(redlock.withLock(key, 1000, assert.fail, { wait: 50 }), QuorumUnavailableError)
    assert.equal(redlock.stats().degraded, false)
    assert.equal('breaker' in redlock.stats(), false)
  })

  test('a call may say so for itself, either way', async (t) => {
    const redlock = open(t, await nowhere())
    const options = { fallback: 'local', fallbackAfter: 0 }
    assert.equal((await redlock.acquire(uniqueKey(), 1000, options)).degraded, true)
    assert.equal((await redlock.tryAcquire(uniqueKey(), 1000, options)).degraded, true)
    assert.equal(await redlock.withLock(uniqueKey(), 1000, (lock) => lock.degraded, options), true)
    await assert.rejects(redlock.acquire(uniqueKey(), 1000, { wait: 0 }), QuorumUnavailableError)

    const other = await cutOff(t)
    const strict = { fallback: 'throw', wait: 0 }
    await assert.rejects(other.acquire(uniqueKey(), 1000, strict), QuorumUnavailableError)
    await assert.rejects(other.tryAcquire(uniqueKey(), 1000, strict), QuorumUnavailableError)
    await assert.rejects(other.withLock(uniqueKey(), 1000, assert.fail, strict), QuorumUnavailableError)
    assert.equal(other.stats().degraded, false)
  })

  test('createLock follows its Redlock', async (t) => {
    const redlock = await cutOff(t)
    const key = uniqueKey()
    const [one, other] = [redlock.createLock(key), redlock.createLock(key)]
    assert.equal(await one.tryAcquire(), true)
    assert.equal(await other.tryAcquire(30), false)
    assert.equal(await one.extend(), true)
    await one.release()
    assert.equal(await other.tryAcquire(30_000), true)
    const strict = open(t, await nowhere()).createLock(key)
    await assert.rejects(strict.tryAcquire(), QuorumUnavailableError)
  })

  test("'local' is one for all instances over the same nodes and prefix, and not for others", async (t) => {
    const nodes = await nowhere()
    const options = { fallback: 'local', fallbackAfter: 0 }
    const [one, other] = [open(t, nodes, options), open(t, [...nodes].reverse(), { ...options, maxTtl: 30_000 })]
    const prefixed = open(t, nodes, { ...options, keyPrefix: 'other:' })
    const key = uniqueKey()
    const lock = await one.acquire(key, 20_000)
    assert.equal(await other.tryAcquire(key, 1000), null)
    assert.ok(await prefixed.tryAcquire(key, 1000))
    await lock.release()
    assert.ok(await other.tryAcquire(key, 1000))
  })

  test('a call that gives up early leaves its fallback half of the time', async (t) => {
    const redlock = open(t, await nowhere(), { fallback: 'local', fallbackAfter: 600_000 })
    const lock = await within(20_000, redlock.acquire(uniqueKey(), 1000, { wait: 400 }))
    assert.equal(lock.degraded, true)
  })

  test('a closed Redlock, an aborted signal and bad input do not fall back', async (t) => {
    const redlock = await cutOff(t, { fallback: forbidden })
    const key = uniqueKey()
    const reason = new Error('enough')
    await assert.rejects(redlock.acquire(key, 1000, { signal: AbortSignal.abort(reason) }), (error) => error === reason)
    await assert.rejects(redlock.acquire('', 1000), TypeError)
    await assert.rejects(
      redlock.withLock(key, 1, () => {}),
      RangeError,
    )
    await assert.rejects(redlock.acquire(key, 1000, { fallback: 'none' }), TypeError)
    await redlock.close()
    await assert.rejects(redlock.acquire(key, 1000), RedlockClosedError)
    await assert.rejects(redlock.withLock(key, 1000, assert.fail), RedlockClosedError)
  })

  test('a signal that aborts while the function runs does not touch it', async (t) => {
    const redlock = await cutOff(t)
    const controller = new AbortController()
    const running = async (lock) => {
      controller.abort(new Error('too late for that'))
      await new Promise(setImmediate)
      return lock.isHeld
    }
    assert.equal(await redlock.withLock(uniqueKey(), 20_000, running, { signal: controller.signal }), true)
  })

  test('what a function throws is not mistaken for our own', async (t) => {
    const redlock = await cutOff(t)
    const mine = new QuorumUnavailableError('of another Redlock')
    let calls = 0
    const failing = redlock.withLock(uniqueKey(), 1000, () => {
      calls += 1
      throw mine
    })
    await assert.rejects(failing, (error) => error === mine)
    assert.equal(calls, 1)
  })

  test('where the fallback is away as well, both are told', async (t) => {
    const second = open(t, await nowhere(), { wait: 0 })
    for (const fallback of [second, onlyInterface(second)]) {
      const redlock = await cutOff(t, { fallback })
      for (const call of [
        () => redlock.acquire(uniqueKey(), 1000, { wait: 10 }),
        () => redlock.tryAcquire(uniqueKey(), 1000),
        () => redlock.withLock(uniqueKey(), 1000, assert.fail, { wait: 10 }),
      ]) {
        await assert.rejects(call(), (error) => {
          assert.ok(error instanceof QuorumUnavailableError)
          assert.match(error.message, /no quorum of nodes, and the fallback is away too: could not lock/)
          assert.ok(error.cause instanceof QuorumUnavailableError)
          assert.equal(error.votes.length, 3)
          return true
        })
      }
    }
  })

  test('a fallback that ignores the signal is let go', async (t) => {
    const mine = new Error('enough')
    let grant
    let released = 0
    const slow = {
      createLock: () => ({
        isHeld: true,
        tryAcquire: () => new Promise((resolve) => (grant = () => resolve(true))),
        release: async () => (released += 1),
      }),
      withLock: (_key, _ttl, fn) => new Promise((resolve) => (grant = resolve)).then(() => fn({ signal: {} })),
    }
    const deaf = await cutOff(t, { fallback: slow })
    for (const call of [
      (options) => deaf.acquire(uniqueKey(), 1000, options),
      (options) => deaf.withLock(uniqueKey(), 1000, assert.fail, options),
    ]) {
      grant = undefined
      const controller = new AbortController()
      const waiting = call({ signal: controller.signal })
      await until(() => grant)
      controller.abort(mine)
      await assert.rejects(waiting, (error) => error === mine)
      grant()
    }
    await until(() => released === 1)
  })

  test('a token of the fallback is one that every store refuses', async (t) => {
    const redlock = await cutOff(t, { fencing: true })
    assert.equal(await redlock.withLock(uniqueKey(), 1000, (lock) => lock.token), -1)
  })

  test("whenLost: 'reject' goes for what was reached by the fallback, too", async (t) => {
    const redlock = await cutOff(t)
    const late = async ({ signal }) => {
      await until(() => signal.aborted)
      return 'late'
    }
    const options = { renew: false, whenLost: 'reject' }
    await assert.rejects(redlock.withLock(uniqueKey(), 50, late, options), (error) => {
      return error instanceof LockLostError && error.result === 'late'
    })
    assert.equal(await redlock.withLock(uniqueKey(), 50, late, { renew: false }), 'late')
  })
})

describe('with nodes that answer', () => {
  const cluster = useCluster(3)

  test('a lock that is taken is taken', async (t) => {
    const redlock = await allUp(t, cluster.urls, { nodeTimeout: 1000, fallback: forbidden, fallbackAfter: 0 })
    const key = uniqueKey()
    await redlock.withLock(key, 20_000, async (lock) => {
      assert.equal(lock.degraded, false)
      await outside(async () => {
        await assert.rejects(redlock.acquire(key, 20_000, { wait: 100 }), LockContendedError)
        await assert.rejects(redlock.withLock(key, 20_000, assert.fail, { wait: 100 }), LockContendedError)
        assert.equal(await redlock.tryAcquire(key, 20_000), null)
      })
      await assert.rejects(redlock.acquire(key, 1000), (error) => error.reentrant === true)
    })
    assert.deepEqual([redlock.stats().degraded, redlock.stats().breaker], [false, 'closed'])
  })

  test('one node of three is no reason', async (t) => {
    const [lost] = await nowhere()
    const redlock = open(t, [...cluster.urls.slice(0, 2), lost], {
      nodeTimeout: 1000,
      fallback: forbidden,
      fallbackAfter: 0,
    })
    await redlock.connect()
    assert.equal(await redlock.withLock(uniqueKey(), 20_000, (lock) => lock.degraded), false)
  })

  test('a Redlock that connects in time does not fall back', async (t) => {
    const redlock = open(t, cluster.urls, { fallback: forbidden, fallbackAfter: 20_000, wait: 60_000 })
    assert.equal(await redlock.withLock(uniqueKey(), 20_000, (lock) => lock.degraded), false)
  })

  test('the events, once per change', async (t) => {
    const redlock = await allUp(t, cluster.urls, {
      nodeTimeout: 1000,
      fallback: 'local',
      fallbackAfter: 0,
      breaker: false,
    })
    const changes = changesOf(redlock)
    await redlock.withLock(uniqueKey(), 20_000, () => {})
    assert.deepEqual(changes, [])
    for (const server of cluster.servers) server.pause()
    try {
      for (let i = 0; i < 3; i++)
        assert.equal(await redlock.withLock(uniqueKey(), 20_000, (lock) => lock.degraded), true)
    } finally {
      for (const server of cluster.servers) server.resume()
    }
    await until(() => redlock.stats().nodes.every(({ state }) => state === 'up'))
    for (let i = 0; i < 3; i++)
      assert.equal(await redlock.withLock(uniqueKey(), 20_000, (lock) => lock.degraded), false)
    assert.deepEqual(
      changes.map(({ degraded }) => degraded),
      [true, false],
    )
    assert.ok(changes[0].cause instanceof QuorumUnavailableError)
    assert.equal(changes[1].cause, undefined)
  })
})
