'use strict'

// Many instances in one process, opened and closed, connected or not; and nothing that starts in the library ends up
// as an unhandled rejection, an 'error' event or an exception in a timer.

const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { useCluster, proxies, urlsOf } = require('../support/cluster')
const { freePort } = require('../support/ports')
const { resources, sockets, threads } = require('../support/leak')
const { connected, open, uniqueKey, Redlock } = require('../support/quorlock')
const { sleep, until, within } = require('../support/until')

/** Collects what would end most processes, for as long as test `t` runs. */
function accidents(t) {
  const seen = []
  for (const event of ['unhandledRejection', 'uncaughtException', 'warning']) {
    const note = (error) => seen.push(`${event}: ${error?.stack ?? error}`)
    process.on(event, note)
    t.after(() => process.off(event, note))
  }
  return seen
}

describe('instances', () => {
  const cluster = useCluster(3)

  test('60 opened, used and closed: no descriptor, no thread, no timer stays', async () => {
    const once = async (use) => {
      const redlock = new Redlock({ nodes: cluster.urls })
      await use(redlock)
      await redlock.close({ timeout: 100 })
    }
    const uses = [
      async () => {},
      (redlock) => redlock.connect(),
      async (redlock) => (await redlock.acquire(uniqueKey(), 5000)).release(),
      (redlock) => redlock.acquire(uniqueKey(), 5000),
      (redlock) => redlock.withLock(uniqueKey(), 5000, () => {}),
    ]
    for (const use of uses) await once(use)
    const before = { sockets: sockets(), threads: threads(), timers: resources().Timeout ?? 0 }
    for (let i = 0; i < 12; i++) await Promise.all(uses.map(once))
    await until(() => sockets() <= before.sockets, { what: 'no socket is left' })
    await until(() => threads() <= before.threads, { what: 'no thread is left' })
    await until(() => (resources().Timeout ?? 0) <= before.timers, { what: 'no timer is left' })
    await until(async () => (await cluster.all('DBSIZE')).every((size) => size === 0), { what: 'no key is left' })
  })

  test('20 opened over nobody, and closed', async () => {
    const nodes = `redis://127.0.0.1:${await freePort()}`
    const before = sockets()
    await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const redlock = new Redlock({ nodes })
        if (i % 2) await redlock.acquire(uniqueKey(), 1000, { wait: 50 }).catch(() => {})
        await redlock.close()
      }),
    )
    await until(() => sockets() <= before)
  })

  test('close while connecting to a node that never answers', async (t) => {
    const nodes = await proxies(t, cluster)
    for (const node of nodes) node.halfOpen()
    const redlock = new Redlock({ nodes: urlsOf(nodes) })
    await sleep(50)
    await within(5000, redlock.close(), 'close')
    await until(() => nodes.every((node) => node.connections === 0), { what: 'the connections are closed' })
  })

  test('many instances share one I/O thread', async (t) => {
    await connected(t, cluster.urls)
    const before = threads()
    const others = await Promise.all(Array.from({ length: 10 }, () => connected(t, cluster.urls)))
    assert.equal(threads(), before)
    const key = uniqueKey()
    const locks = await Promise.all(others.map((redlock) => redlock.tryAcquire(key, 5000)))
    assert.ok(locks.filter(Boolean).length <= 1)
  })

  test('nodes dying under every kind of work: nothing is unhandled', async (t) => {
    const seen = accidents(t)
    const nodes = await proxies(t, cluster)
    const redlock = await connected(t, urlsOf(nodes))
    const other = await connected(t, urlsOf(nodes))
    const dropped = ['lost', 'nodeDown', 'nodeUp']
    for (const event of dropped) redlock.once(event, () => {})
    const key = uniqueKey()
    const work = [
      redlock.withLock(key, 300, () => sleep(1500)),
      redlock.acquire(uniqueKey(), 300, { renew: true }).then((lock) => sleep(1200).then(() => lock.release())),
      other.acquire(key, 300, { wait: 1000 }),
      other.tryAcquire(key, 300),
      redlock.createLock(uniqueKey()).tryAcquire(500),
      redlock.inspect(key),
      redlock.acquire(uniqueKey(), 300).then((lock) => sleep(100).then(() => lock.extend(300))),
    ]
    const settled = Promise.allSettled(work)
    await sleep(50)
    for (const node of nodes) await node.refuse()
    await sleep(600)
    for (const node of nodes) await node.accept()
    await settled
    for (const node of nodes) node.halfOpen()
    await Promise.allSettled([
      redlock.acquire(key, 300, { wait: 100 }),
      redlock.close({ timeout: 100 }),
      other.close({ timeout: 0 }),
    ])
    await sleep(100)
    assert.deepEqual(seen, [])
  })

  test('a listener that throws does not stop the others, nor the work', async (t) => {
    const redlock = await connected(t, 'memory')
    const expected = []
    const note = (error) => expected.push(error.message)
    process.on('uncaughtException', note)
    process.on('warning', note)
    t.after(() => {
      process.off('uncaughtException', note)
      process.off('warning', note)
    })
    const heard = []
    redlock.on('lost', () => {
      throw new Error('a defect of a listener')
    })
    redlock.on('lost', (event) => heard.push(event.key))
    const keys = [uniqueKey(), uniqueKey()]
    for (const key of keys) await redlock.acquire(key, 30)
    await until(() => heard.length === 2, { what: 'the second listener hears of both' })
    const lock = await redlock.acquire(uniqueKey(), 5000)
    assert.equal(await lock.release(), 'released')
    await until(() => expected.length > 0, { what: 'the defect is not hidden' })
    assert.ok(
      expected.some((message) => message.includes('a defect of a listener')),
      expected.join(),
    )
  })

  test("there is no 'error' event to forget a listener for", async (t) => {
    const seen = accidents(t)
    const redlock = open(t, `redis://127.0.0.1:${await freePort()}`)
    await redlock.acquire(uniqueKey(), 1000, { wait: 100 }).catch(() => {})
    await sleep(100)
    assert.deepEqual(seen, [])
  })
})
