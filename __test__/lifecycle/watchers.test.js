'use strict'

// Who hears that a node has answered: the event loop where it can, and the I/O thread whenever the event loop does not
// come around. Nothing may be lost where one takes over from the other.

const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { useCluster } = require('../support/cluster')
const { allUp, open, uniqueKey } = require('../support/quorlock')
const { openMailbox } = require('../../js/mailbox')
const { block, sleep, until } = require('../support/until')

/** Long enough for the microtask in which calls are sent. */
const sent = () => new Promise((resolve) => queueMicrotask(() => queueMicrotask(resolve)))

describe('who watches the sockets', () => {
  const cluster = useCluster(3)

  test('the event loop does, unless it is told not to', () => {
    const { mailbox } = openMailbox()
    assert.equal(mailbox.watches, process.platform !== 'win32' && process.env.QUORLOCK_IO_THREAD_ONLY !== '1')
  })

  test('answers that come while the event loop is blocked are read in time', async (t) => {
    const redlock = await allUp(t, cluster.urls, { nodeTimeout: 200 })
    for (let i = 0; i < 3; i += 1) {
      const asked = redlock.acquire(uniqueKey(), 30_000, { wait: 0 })
      await sent()
      block(600)
      const lock = await asked
      assert.equal(lock.attempts, 1)
      const released = lock.release()
      await sent()
      block(600)
      assert.equal(await released, 'released')
    }
  })

  test('so are those of an event loop that joins a wait of the native thread', async (t) => {
    const [server] = cluster.servers
    const redlock = await allUp(t, server.url, { nodeTimeout: 20_000, connectTimeout: 20_000, stallLimit: 60_000 })
    const busy = uniqueKey()
    await server.command('SET', busy, 'foreign', 'PX', 60_000)
    const before = await server.calls('set')
    const contender = new AbortController()
    const retry = { wait: 60_000, retryDelay: 400, retryDelayMax: 400, signal: contender.signal }
    const contended = redlock.acquire(busy, 30_000, retry).catch(() => {})
    await until(async () => (await server.calls('set')) > before, { what: 'the first round' })
    server.pause()
    t.after(() => server.resume())
    // The second round is the native thread's, and has no answer.
    await sleep(1000)
    const asked = redlock.acquire(uniqueKey(), 30_000)
    await sent()
    server.resume()
    block(500)
    // Before this thread could read anything: who else would know of round trips that took so long?
    const { p99 } = redlock.stats().nodes[0].rtt
    assert.ok(p99 > 300, `${p99} ms is the longest round trip known`)
    contender.abort()
    await contended
    await (await asked).release()
  })

  test('and those of a thread that asks all the time, but never gets to its event loop', async (t) => {
    const [server] = cluster.servers
    const redlock = await allUp(t, server.url, { stallLimit: 60_000 })
    const asked = []
    const longest = []
    const end = performance.now() + 1500
    while (performance.now() < end) {
      asked.push(redlock.acquire(uniqueKey(), 30_000))
      await sent()
      block(0.3)
      if (asked.length % 20 === 0) longest.push(redlock.stats().nodes[0].rtt.p99)
    }
    for (const lock of await Promise.all(asked)) assert.equal(await lock.release(), 'released')
    // The middle one: this thread may itself be kept waiting for a while.
    const middle = longest.sort((a, b) => a - b)[longest.length >> 1]
    assert.ok(middle < 30, `round trips of ${middle} ms`)
  })

  test('after such a block the event loop goes on', async (t) => {
    const redlock = await allUp(t, cluster.urls)
    const key = uniqueKey()
    for (let i = 0; i < 20; i += 1) {
      const lock = await redlock.acquire(key, 30_000)
      if (i % 5 === 0) block(30)
      assert.equal(await lock.release(), 'released')
    }
  })

  test('renewals and calls share a connection', async (t) => {
    const redlock = await allUp(t, cluster.urls)
    const kept = await Promise.all(
      Array.from({ length: 20 }, () => redlock.acquire(uniqueKey('kept'), 300, { renew: true, wait: 20_000 })),
    )
    const end = performance.now() + 1500
    while (performance.now() < end) {
      const lock = await redlock.acquire(uniqueKey('short'), 30_000)
      assert.equal(await lock.release(), 'released')
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20))
    }
    assert.deepEqual(
      kept.map((lock) => lock.isHeld),
      kept.map(() => true),
    )
    for (const lock of kept) assert.equal(await lock.release(), 'released')
  })

  test('more than a stopped node takes in is sent when it goes on', async (t) => {
    const [server] = cluster.servers
    const settings = { nodeTimeout: 60_000, connectTimeout: 60_000, maxTtl: 600_000 }
    const redlock = await allUp(t, server.url, settings)
    await redlock.tryAcquire(uniqueKey(), 600_000)
    server.pause()
    t.after(() => server.resume())
    // Some 20 MB, which no socket buffer holds.
    const name = 'x'.repeat(480)
    const asked = []
    for (let i = 0; i < 40; i += 1) {
      for (let j = 0; j < 1000; j += 1) asked.push(redlock.tryAcquire(`${name}:${i}:${j}`, 600_000))
      await new Promise((resolve) => setImmediate(resolve))
    }
    server.resume()
    const locks = await Promise.all(asked)
    assert.ok(locks.every((lock) => lock !== null))
    const results = await Promise.all(locks.map((lock) => lock.release()))
    assert.ok(results.every((result) => result === 'released'))
    await until(async () => (await server.command('KEYS', `${name}*`)).length === 0)
  })

  test('a node that is killed while the event loop is blocked is back afterwards', async (t) => {
    const redlock = await allUp(t, cluster.urls, { restartGuard: false })
    const [server] = cluster.servers
    const before = await redlock.acquire(uniqueKey(), 30_000)
    await server.kill()
    block(100)
    const during = await redlock.acquire(uniqueKey(), 30_000)
    await server.launch()
    await until(() => redlock.stats().nodes.every((node) => node.state === 'up'))
    const after = await redlock.acquire(uniqueKey(), 30_000)
    for (const lock of [before, during, after]) assert.equal(await lock.release(), 'released')
  })

  test('an instance that nobody uses hears of a lost node', async (t) => {
    const redlock = open(t, cluster.urls, { restartGuard: false })
    await redlock.connect()
    await until(() => redlock.stats().nodes.every((node) => node.state === 'up'))
    const [server] = cluster.servers
    await server.kill()
    await until(() => redlock.stats().nodes[0].state === 'down')
    await server.launch()
    await until(() => redlock.stats().nodes[0].state === 'up')
  })

  test('a connection that ends while nothing is asked, after it was used, is noticed and replaced', async (t) => {
    const [server] = cluster.servers
    const redlock = await allUp(t, server.url)
    const changes = []
    redlock.on('nodeDown', () => changes.push('down'))
    redlock.on('nodeUp', () => changes.push('up'))
    const lock = await redlock.acquire(uniqueKey(), 5000)
    await lock.release()
    // Long enough for the I/O thread to have taken the idle connection over.
    await sleep(200)
    await server.command('CLIENT', 'KILL', 'TYPE', 'normal')
    await until(() => changes.length === 2)
    assert.deepEqual(changes, ['down', 'up'])
    assert.ok(await redlock.tryAcquire(uniqueKey(), 5000))
  })
})
