'use strict'

// What a network does between us and one node: loses one direction, forgets the connection, delays, cuts into slices,
// delivers twice.

const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { fault, setUp, everyNodeVotes, inTime, works } = require('./fault')
const { uniqueKey } = require('../support/quorlock')
const { sleep, until } = require('../support/until')

fault('requests are lost', {
  inject: async ({ proxy }) => proxy.toServer.swallow(),
  heal: async ({ proxy }) => proxy.heal(),
  code: ['TIMEOUT', 'CONNECT'],
})

fault('replies are lost', {
  inject: async ({ proxy }) => proxy.toClient.swallow(),
  heal: async ({ proxy }) => proxy.heal(),
  code: ['TIMEOUT', 'CONNECT'],
  // Everything was executed, and everything was cleaned up.
  also: async ({ cluster }) => {
    await until(async () => (await cluster.servers[0].command('DBSIZE')) === 0, { what: 'nothing is left on the node' })
  },
})

fault('half-open: the peer vanished without a word', {
  inject: async ({ proxy }) => proxy.halfOpen(),
  heal: async ({ proxy }) => proxy.heal(),
  code: ['TIMEOUT', 'CONNECT'],
})

fault('replies held back, then all delivered at once', {
  inject: async ({ proxy }) => proxy.toClient.hold(),
  heal: async ({ proxy }) => proxy.toClient.pass(),
  code: ['TIMEOUT', 'CONNECT'],
})

describe('a network that only annoys', { concurrency: true }, () => {
  test('one byte at a time, both ways', async (t) => {
    const { redlock, nodes, changes } = await setUp(t, { options: { nodeTimeout: 2000 } })
    for (const { proxy } of nodes) {
      proxy.toServer.slice(1)
      proxy.toClient.slice(1)
    }
    for (let i = 0; i < 3; i++) {
      const lock = await redlock.acquire(uniqueKey(), 30_000)
      await lock.extend(30_000)
      assert.equal(await lock.release(), 'released')
    }
    assert.deepEqual(changes, [])
  })

  test('latency: decided at the quorum, not at the slowest, and the validity is what is left', async (t) => {
    const { redlock, nodes } = await setUp(t)
    nodes[0].proxy.toClient.delay(20)
    nodes[1].proxy.toClient.delay(60)
    nodes[2].proxy.toClient.delay(3000)
    const start = performance.now()
    const lock = await redlock.acquire(uniqueKey(), 5000)
    const ms = performance.now() - start
    assert.ok(ms >= 55 && ms < 1000, `took ${ms} ms: the second answer comes after 60 ms, the third after 3,000`)
    assert.ok(lock.remaining <= 5000 - ms + 5)
    assert.equal(await lock.release(), 'released')
  })

  test('little bandwidth: every call has its turn, and the validity is what is left', async (t) => {
    const { redlock, nodes, cluster } = await setUp(t, { options: { nodeTimeout: 20_000 } })
    const keys = Array.from({ length: 40 }, (_, i) => uniqueKey(`${'x'.repeat(400)}${i}`))
    for (const { proxy } of nodes) {
      proxy.toServer.limit(40_000)
      proxy.toClient.limit(2000)
    }
    const start = performance.now()
    const locks = await Promise.all(keys.map((key) => redlock.acquire(key, 60_000)))
    const ms = performance.now() - start
    assert.ok(ms > 350, `took ${ms} ms: the keys alone are 16,000 bytes, which take 400 ms`)
    for (const lock of locks) assert.ok(lock.remaining <= 60_000 - 100, `${lock.remaining} ms are left`)
    assert.deepEqual(
      await Promise.all(locks.map((lock) => lock.release())),
      locks.map(() => 'released'),
    )
    for (const key of keys) await until(async () => (await cluster.holding(key)) === 0)
  })

  test('a SET that is executed, whose reply is lost', async (t) => {
    const { redlock, nodes, cluster } = await setUp(t)
    const key = uniqueKey()
    const ids = []
    nodes[0].proxy.toServer.corrupt((chunk) => {
      // The ids of the acquires: a release of the one before goes with it, but never comes first.
      for (const [, id] of chunk.toString('latin1').matchAll(/\r\nSET\r\n.*?([0-9a-f]{32})\r\n/gs)) ids.push(id)
      return chunk
    })
    const lost = nodes.slice(1).map(({ proxy }) => proxy.loseReply(key))
    const lock = await redlock.acquire(key, 30_000)
    await Promise.all(lost)
    assert.ok(lock.attempts > 1, 'the first round had no quorum')
    assert.equal(new Set(ids).size, ids.length, 'what may still be executed is never sent for again')
    // With fencing they are a script's, which this does not read.
    if (!lock.token) assert.ok(ids.length > 1 && ids.at(-1) === lock.id, String(ids))
    await until(async () => {
      const values = await cluster.all('GET', key)
      return (
        values.filter((value) => value === lock.id).length >= 2 &&
        values.every((value) => [lock.id, null].includes(value))
      )
    })
    assert.equal(await lock.release(), 'released')
    await until(async () => (await cluster.holding(key)) === 0)
  })

  test('a release that is executed, whose reply is lost', async (t) => {
    const { redlock, nodes, cluster } = await setUp(t)
    const key = uniqueKey()
    const lock = await redlock.acquire(key, 30_000)
    await until(async () => (await cluster.holding(key)) === 3)
    const lost = nodes.slice(1).map(({ proxy }) => proxy.loseReply(key))
    assert.equal(await inTime('release', () => lock.release()), 'unknown')
    await Promise.all(lost)
    await until(async () => (await cluster.holding(key)) === 0)
    const again = await redlock.acquire(key, 1000)
    assert.equal(again.isHeld, true)
  })

  test('an extension that is executed, whose reply is lost: the lock is kept', async (t) => {
    const { redlock, nodes, cluster } = await setUp(t)
    const key = uniqueKey()
    const lock = await redlock.acquire(key, 2000, { renew: true })
    await until(async () => (await cluster.holding(key)) === 3)
    const lost = nodes.slice(1).map(({ proxy }) => proxy.loseReply(key))
    await Promise.all(lost)
    await sleep(3000)
    assert.equal(lock.isHeld, true)
    assert.equal(await lock.release(), 'released')
  })

  test('an acquire that is delivered twice', async (t) => {
    const { redlock, nodes, cluster } = await setUp(t)
    const key = uniqueKey()
    const twice = nodes.map(({ proxy }) => proxy.duplicate(key))
    const lock = await redlock.acquire(key, 30_000)
    await Promise.all(twice)
    assert.equal(lock.isHeld, true)
    assert.deepEqual(await cluster.all('GET', key), [lock.id, lock.id, lock.id])
    assert.equal(await lock.release(), 'released')
  })

  test('an extension and a release that are delivered twice', async (t) => {
    const { redlock, nodes, cluster } = await setUp(t)
    const key = uniqueKey()
    const lock = await redlock.acquire(key, 30_000)
    await until(async () => (await cluster.holding(key)) === 3)
    let twice = nodes.map(({ proxy }) => proxy.duplicate(key))
    await lock.extend(30_000)
    await Promise.all(twice)
    twice = nodes.map(({ proxy }) => proxy.duplicate(key))
    assert.equal(await lock.release(), 'released')
    await Promise.all(twice)
    assert.equal(await cluster.holding(key), 0)
  })

  test('a release that arrives again after a successor has come: the successor stays', async (t) => {
    const { redlock, nodes, cluster } = await setUp(t)
    const key = uniqueKey()
    const lock = await redlock.acquire(key, 30_000)
    await until(async () => (await cluster.holding(key)) === 3)
    const twice = nodes.map(({ proxy }) => proxy.duplicate(key, 200))
    assert.equal(await lock.release(), 'released')
    const successor = await redlock.acquire(key, 30_000)
    await Promise.all(twice)
    await until(async () => (await cluster.all('GET', key)).every((value) => value === successor.id))
    await successor.extend(30_000)
    assert.equal(await successor.release(), 'released')
  })

  test('connections that break again and again', async (t) => {
    const context = await setUp(t)
    const { redlock, nodes, cluster } = context
    let next = 0
    const breaking = setInterval(() => nodes[next++ % 3].proxy.reset(), 250)
    t.after(() => clearInterval(breaking))
    const key = uniqueKey()
    let inside = 0
    while (next < 12) {
      await redlock.withLock(
        key,
        5000,
        async () => {
          inside += 1
          assert.equal(inside, 1)
          await sleep(5)
          inside -= 1
        },
        { wait: 30_000 },
      )
    }
    clearInterval(breaking)
    await everyNodeVotes(context)
    await until(async () => (await cluster.holding(key)) === 0)
    await works(redlock)
  })
})
