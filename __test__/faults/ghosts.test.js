'use strict'

// With fencing, what arrives late or twice finds that its time is over: a node that has been told of a release never
// grants the released lock again.

const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { setUp, inTime, leavesNothing } = require('./fault')
const { uniqueKey } = require('../support/quorlock')
const { RespClient } = require('../support/resp')
const { until } = require('../support/until')

const FENCED = { options: { fencing: true } }
const fenceOf = (key) => `${key}:quorlock:fence`

describe('with fencing', { concurrency: true }, () => {
  test('an acquire that arrives again after its release is granted by no node', async (t) => {
    const { redlock, nodes, cluster } = await setUp(t, FENCED)
    const key = uniqueKey()
    const late = nodes.map(({ proxy }) => proxy.duplicate(key, 300))
    const lock = await redlock.acquire(key, 30_000)
    await until(async () => (await cluster.holding(key)) === 3)
    assert.equal(await lock.release(), 'released')
    await until(async () => (await cluster.holding(key)) === 0)
    const fences = await cluster.all('GET', fenceOf(key))
    await Promise.all(late)
    assert.equal(await cluster.holding(key), 0, 'no ghost')
    assert.deepEqual(await cluster.all('GET', fenceOf(key)), fences)
    const next = await redlock.acquire(key, 30_000)
    assert.ok(next.token > lock.token)
  })

  test('one that arrives again while its lock is held changes nothing', async (t) => {
    const { redlock, nodes, cluster } = await setUp(t, FENCED)
    const key = uniqueKey()
    const late = nodes.map(({ proxy }) => proxy.duplicate(key, 200))
    const lock = await redlock.acquire(key, 30_000)
    await until(async () => (await cluster.holding(key)) === 3)
    const before = await cluster.all('GET', fenceOf(key))
    await Promise.all(late)
    assert.deepEqual(await cluster.all('GET', key), [lock.id, lock.id, lock.id])
    assert.deepEqual(await cluster.all('GET', fenceOf(key)), before)
    for (const left of await cluster.all('PTTL', key)) assert.ok(left < 29_900, 'nor is it prolonged')
    assert.equal(await lock.release(), 'released')
  })

  test('one that arrives again after a successor has come and gone', async (t) => {
    const { redlock, nodes, cluster } = await setUp(t, FENCED)
    const key = uniqueKey()
    const late = nodes.map(({ proxy }) => proxy.duplicate(key, 400))
    const lock = await redlock.acquire(key, 30_000)
    assert.equal(await lock.release(), 'released')
    const successor = await redlock.acquire(key, 30_000)
    assert.equal(await successor.release(), 'released')
    await Promise.all(late)
    assert.equal(await cluster.holding(key), 0)
  })

  test('one that was lost on the way, whose release came through: nothing is left when it arrives', async (t) => {
    const { redlock, nodes, cluster } = await setUp(t, FENCED)
    const key = uniqueKey()
    const [{ proxy, server }] = nodes
    // The request itself is held back in the network, and its connection breaks.
    let request
    proxy.toServer.corrupt((chunk) => {
      if (chunk.includes(key)) request ??= Buffer.from(chunk)
      return null
    })
    const lock = await inTime('acquire', () => redlock.acquire(key, 30_000, { wait: 0 }))
    await until(() => request, { what: 'the request' })
    proxy.toServer.pass()
    proxy.reset()
    await until(() => redlock.stats().nodes[0].state === 'up')
    assert.equal(await inTime('release', () => lock.release()), 'released')
    await until(async () => (await server.command('EXISTS', fenceOf(key))) === 1, { what: 'it hears of the release' })
    await until(async () => (await cluster.holding(key)) === 0)
    const again = await RespClient.connect({ port: server.port })
    t.after(() => again.close())
    const [answer] = [await again.send(request)].flat()
    assert.notEqual(answer, 1, 'outbid by the release')
    assert.equal(await server.command('EXISTS', key), 0, 'no ghost')
  })

  test('those of a stopped node, released meanwhile, leave nothing when it goes on', async (t) => {
    await leavesNothing(await setUp(t, FENCED))
  })

  test('out of memory: what is held can be extended and released, though no fence can be raised', async (t) => {
    const { redlock, cluster } = await setUp(t, FENCED)
    const key = uniqueKey()
    const lock = await redlock.acquire(key, 30_000)
    await until(async () => (await cluster.holding(key)) === 3)
    await cluster.all('CONFIG', 'SET', 'maxmemory', 1)
    await lock.extend(40_000)
    assert.ok(lock.remaining > 30_000)
    assert.equal(await lock.release(), 'released')
    await until(async () => (await cluster.holding(key)) === 0)
    await assert.rejects(redlock.acquire(key, 5000, { wait: 0 }), (error) => {
      assert.ok(
        error.votes.some(({ code }) => code === 'OOM'),
        error.message,
      )
      return error.code === 'ERR_QUORUM_UNAVAILABLE'
    })
    await cluster.all('CONFIG', 'SET', 'maxmemory', 0)
    const next = await redlock.acquire(key, 5000, { wait: 10_000 })
    assert.ok(next.token > lock.token)
    assert.equal(await next.release(), 'released')
  })
})
