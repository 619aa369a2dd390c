'use strict'

// A node that is not there: killed, refusing, restarted.

const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { fault, setUp, everyNodeVotes, unavailable, works, BOUND } = require('./fault')
const { RedisServer } = require('../support/redis-server')
const { freePort } = require('../support/ports')
const { open, uniqueKey, QuorumUnavailableError } = require('../support/quorlock')
const { sleep, timed, until, within } = require('../support/until')

fault('killed', {
  inject: ({ server }) => server.kill(),
  heal: ({ server }) => server.launch(),
  code: ['CONNECT', 'TIMEOUT'],
})

fault('refusing connections', {
  inject: ({ proxy }) => proxy.refuse(),
  heal: ({ proxy }) => proxy.accept(),
  code: 'CONNECT',
})

describe('restarts', { concurrency: true }, () => {
  test('connections reset: the next call connects again', async (t) => {
    const context = await setUp(t)
    for (let i = 0; i < 3; i++) {
      for (const { proxy } of context.nodes) proxy.reset()
      await everyNodeVotes(context)
    }
  })

  test('one node restarted empty while a lock is held', async (t) => {
    const context = await setUp(t)
    const { redlock, nodes, cluster } = context
    const key = uniqueKey()
    const lock = await redlock.acquire(key, 5000, { renew: true })
    await until(async () => (await cluster.holding(key)) === 3)
    // Out of reach meanwhile: a renewal puts the key back as soon as it can.
    await nodes[0].proxy.refuse()
    await nodes[0].server.restart()
    assert.equal(await nodes[0].server.command('EXISTS', key), 0)
    await nodes[0].proxy.accept()
    await sleep(7000)
    assert.equal(lock.isHeld, true)
    assert.equal(await redlock.tryAcquire(key, 5000), null)
    assert.equal(await lock.release(), 'released')
    await everyNodeVotes(context)
  })

  test('one node restarted with its append-only file: the lock is still there, and is released', async (t) => {
    const context = await setUp(t, { serverOptions: { appendonly: true } })
    const { redlock, nodes, cluster } = context
    const key = uniqueKey()
    const lock = await redlock.acquire(key, 30_000)
    await until(async () => (await cluster.holding(key)) === 3)
    await nodes[0].server.restart()
    assert.equal(await nodes[0].server.command('GET', key), lock.id)
    await everyNodeVotes(context)
    await lock.extend(40_000)
    assert.equal(await lock.release(), 'released')
    await until(async () => (await cluster.holding(key)) === 0)
  })

  test('all nodes restarted with their append-only files: nobody else gets in', async (t) => {
    const context = await setUp(t, { serverOptions: { appendonly: true } })
    const { redlock, nodes, cluster } = context
    const key = uniqueKey()
    const lock = await redlock.acquire(key, 30_000)
    await until(async () => (await cluster.holding(key)) === 3)
    await Promise.all(nodes.map(({ server }) => server.restart()))
    // Their state may still be that of the connections before the restart.
    await everyNodeVotes(context)
    assert.equal(lock.isHeld, true)
    assert.equal(await redlock.tryAcquire(key, 5000), null)
    assert.equal(await lock.release(), 'released')
  })

  test('a majority lost, then back: the lock ends in time, waiters get in afterwards', async (t) => {
    const context = await setUp(t)
    const { redlock, nodes } = context
    const lost = []
    redlock.on('lost', (event) => lost.push(event))
    const key = uniqueKey()
    const lock = await redlock.acquire(key, 800, { renew: true })
    const { signal } = lock
    const down = nodes.slice(1)
    await Promise.all(down.map(({ server }) => server.kill()))
    const killed = performance.now()
    assert.equal(lock.isHeld, true, 'uncertain is not lost')
    await until(() => signal.aborted, { deadline: 10_000 })
    const ms = performance.now() - killed
    assert.ok(ms < 8000, `the holder heard of it after ${ms} ms`)
    assert.equal(lock.isHeld, false)
    assert.deepEqual(
      lost.map(({ key: name, reason }) => ({ name, reason })),
      [{ name: key, reason: 'expired' }],
    )

    await unavailable(() => redlock.acquire(key, 5000, { wait: 0 }), { code: ['CONNECT', 'TIMEOUT'] }, down)
    const waiting = redlock.acquire(key, 5000, { wait: 30_000 })
    await sleep(200)
    await Promise.all(down.map(({ server }) => server.launch()))
    const successor = await within(20_000, waiting, 'the waiting call')
    assert.equal(successor.isHeld, true)
    assert.equal(await lock.release(), 'expired')
    await everyNodeVotes(context)
  })

  test('release while a majority is down says that it does not know', async (t) => {
    const { redlock, nodes } = await setUp(t)
    const key = uniqueKey()
    const lock = await redlock.acquire(key, 30_000)
    await Promise.all(nodes.slice(1).map(({ proxy }) => proxy.refuse()))
    const { value, ms } = await timed(() => lock.release())
    assert.equal(value, 'unknown')
    assert.ok(ms < BOUND)
    assert.equal(await lock.release(), 'unknown', 'the first answer stays')
    assert.equal(lock.isHeld, false)
    await Promise.all(nodes.slice(1).map(({ proxy }) => proxy.accept()))
    for (const { server } of nodes) {
      await until(async () => (await server.command('EXISTS', key)) === 0, { deadline: 15_000, what: 'released later' })
    }
  })
})

describe('a service that starts before Redis', { concurrency: true }, () => {
  test('says so, and works once it is there', async (t) => {
    const ports = await Promise.all([freePort(), freePort(), freePort()])
    const redlock = open(
      t,
      ports.map((port) => `redis://127.0.0.1:${port}`),
    )
    const early = await timed(() => redlock.acquire(uniqueKey(), 5000, { wait: 0 }))
    assert.ok(early.error instanceof QuorumUnavailableError, String(early.error))
    assert.ok(early.ms < BOUND)
    assert.deepEqual(
      early.error.votes.map((vote) => vote.code),
      ['CONNECT', 'CONNECT', 'CONNECT'],
    )
    const notYet = await timed(() => redlock.connect({ timeout: 300 }))
    assert.ok(notYet.error instanceof QuorumUnavailableError, String(notYet.error))
    assert.ok(notYet.ms < 3000)

    const connecting = redlock.connect({ timeout: 30_000 })
    const waiting = redlock.acquire(uniqueKey(), 5000, { wait: 30_000 })
    const servers = await Promise.all(ports.map((port) => RedisServer.start({ port })))
    t.after(() => Promise.all(servers.map((server) => server.stop())))
    await within(20_000, connecting, 'connect')
    assert.equal((await within(20_000, waiting, 'acquire')).isHeld, true)
    await works(redlock)
  })

  test('connect can be aborted', async (t) => {
    const redlock = open(t, `redis://127.0.0.1:${await freePort()}`)
    const controller = new AbortController()
    const connecting = timed(() => redlock.connect({ timeout: 30_000, signal: controller.signal }))
    await sleep(20)
    controller.abort(new Error('enough'))
    const { error, ms } = await connecting
    assert.equal(error.message, 'enough')
    assert.ok(ms < 2000)
  })

  test('a name that does not exist is a fault of that node only', async (t) => {
    const { cluster } = await setUp(t)
    const redlock = open(t, [...cluster.urls.slice(1), 'redis://no-such-host.invalid:6379'])
    await redlock.connect()
    await works(redlock)
    await until(() => redlock.stats().nodes[2].state === 'down')
    assert.ok(redlock.stats().nodes[2].error)
    const inspected = await redlock.inspect(uniqueKey())
    assert.equal(inspected[2].held, false)
    assert.ok(inspected[2].error, 'inspect does not call an unknown node free')
  })
})
