'use strict'

// A node that is there and does not answer in time: stopped, paused, slow. What it was sent is carried out later.

const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { fault, setUp, everyNodeVotes, inTime, leavesNothing, unavailable, works, BOUND } = require('./fault')
const { uniqueKey } = require('../support/quorlock')
const { sleep, timed, until } = require('../support/until')

fault('stopped (SIGSTOP), later continued', {
  inject: async ({ server }) => server.pause(),
  heal: async ({ server }) => server.resume(),
  code: ['TIMEOUT', 'CONNECT'],
})

fault('refusing to write for a while (CLIENT PAUSE WRITE)', {
  inject: ({ server }) => server.command('CLIENT', 'PAUSE', 60_000, 'WRITE'),
  heal: ({ server }) => server.command('CLIENT', 'UNPAUSE'),
  code: ['TIMEOUT', 'CONNECT'],
  // It still answers a new connection, so it may well be called up in between.
  announced: false,
})

fault('slow by more than the node timeout', {
  inject: async ({ proxy }) => proxy.toClient.delay(1500),
  heal: async ({ proxy }) => proxy.toClient.pass(),
  code: ['TIMEOUT', 'CONNECT'],
  announced: false,
})

test('close() gives a slower node the time to hear of the releases', async (t) => {
  const { redlock, nodes } = await setUp(t, { options: { nodeTimeout: 15_000 } })
  const [{ server }] = nodes
  server.pause()
  // More than sockets take while nobody reads.
  const key = uniqueKey().padEnd(500, '-')
  await Promise.all(Array.from({ length: 20_000 }, (_, i) => redlock.acquire(`${key}${i}`, 60_000)))
  const closed = redlock.close({ timeout: 0 })
  await sleep(100)
  server.resume()
  await closed
  assert.equal(await server.command('DBSIZE'), 0)
})

describe('what a stopped node was sent', { concurrency: true }, () => {
  test('the abandoned SET of a lock that was released is released too', async (t) => {
    await leavesNothing(await setUp(t))
  })

  test('the abandoned SETs of a failed attempt are released too', async (t) => {
    const { redlock, nodes, cluster } = await setUp(t)
    const stopped = nodes.slice(1)
    for (const { server } of stopped) server.pause()
    const key = uniqueKey()
    await unavailable(() => redlock.acquire(key, 60_000, { wait: 0 }), { code: ['TIMEOUT', 'CONNECT'] }, stopped)
    for (const { server } of stopped) server.resume()
    await until(async () => (await cluster.holding(key)) === 0, { deadline: 10_000, what: 'all nodes are clean' })
    await sleep(300)
    assert.equal(await cluster.holding(key), 0)
  })

  test('those of an aborted call too', async (t) => {
    const { redlock, nodes, cluster } = await setUp(t)
    const stopped = nodes.slice(1)
    for (const { server } of stopped) server.pause()
    const key = uniqueKey()
    const controller = new AbortController()
    const asking = timed(() => redlock.acquire(key, 60_000, { signal: controller.signal, wait: 60_000 }))
    await sleep(30)
    controller.abort(new Error('enough'))
    const { error, ms } = await asking
    assert.equal(error.message, 'enough')
    assert.ok(ms < BOUND)
    for (const { server } of stopped) server.resume()
    await until(async () => (await cluster.holding(key)) === 0, { deadline: 10_000, what: 'all nodes are clean' })
  })

  test('a renewed lock lives on without it, and its key does not outlive the release', async (t) => {
    const { redlock, nodes, cluster } = await setUp(t)
    const key = uniqueKey()
    const lock = await redlock.acquire(key, 1200, { renew: true })
    nodes[0].server.pause()
    await sleep(2500)
    assert.equal(lock.isHeld, true)
    assert.equal(await inTime('release', () => lock.release()), 'released')
    nodes[0].server.resume()
    await until(async () => (await cluster.holding(key)) === 0, { deadline: 10_000 })
  })

  test('all nodes stopped: the signal of a held lock fires by its deadline', async (t) => {
    const context = await setUp(t)
    const { redlock, nodes } = context
    const lock = await redlock.acquire(uniqueKey(), 600, { renew: true })
    const { signal } = lock
    const stopped = performance.now()
    for (const { server } of nodes) server.pause()
    await until(() => signal.aborted, { deadline: 10_000 })
    const ms = performance.now() - stopped
    assert.ok(ms < 6000, `it took ${ms} ms`)
    assert.equal(await inTime('release', () => lock.release()), 'unknown')
    for (const { server } of nodes) server.resume()
    await everyNodeVotes(context)
    await works(redlock)
  })
})
