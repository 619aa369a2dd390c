'use strict'

// How a release in one process is heard of in another: the server tells, over a connection of its own. Without it, or
// when it breaks, who waits gets the lock all the same.

const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { Cluster, useCluster } = require('../support/cluster')
const { allUp, connected, elsewhere, uniqueKey } = require('../support/quorlock')
const { sleep, until, within } = require('../support/until')
const { warnings } = require('../support/warnings')

const TTL = 60_000
/** So long that neither a poll nor the end of a ttl can be what ends a wait. */
const NO_POLL = { wait: 120_000, retryDelay: 100_000 }
/** What is told is heard of within milliseconds. */
const SOON = 5000

/** Waits until every server knows that `count` processes wait for `key`. */
const isWaitedFor = (cluster, key, count = 1) =>
  until(async () => (await cluster.all('PUBSUB', 'NUMSUB', `${key}:quorlock:wake`)).every(([, n]) => n === count), {
    what: `${count} wait`,
  })

const heldByHand = (cluster, key) => cluster.all('SET', key, 'f'.repeat(32), 'PX', TTL)

describe('a release is told', { concurrency: true }, () => {
  const cluster = useCluster(3)

  test('by another process: who waits has the lock at once', async (t) => {
    const holding = await connected(t, cluster.urls)
    const redlock = await connected(t, cluster.urls, elsewhere)
    const key = uniqueKey()
    for (let i = 0; i < 10; i++) {
      const holder = await holding.acquire(key, TTL)
      const waiting = redlock.acquire(key, TTL, NO_POLL)
      await isWaitedFor(cluster, key)
      assert.equal(await holder.release(), 'released')
      const lock = await within(SOON, waiting, 'who waits')
      assert.equal(await lock.release(), 'released')
    }
  })

  test('to several processes: all have the lock, one after the other', async (t) => {
    const holding = await connected(t, cluster.urls)
    const others = await Promise.all(
      [63, 62, 61, 60].map((handoverLimit) => connected(t, cluster.urls, { handoverLimit })),
    )
    const key = uniqueKey()
    for (let i = 0; i < 5; i++) {
      const holder = await holding.acquire(key, TTL)
      let inside = 0
      const waiting = others.map((redlock) =>
        redlock.withLock(
          key,
          TTL,
          async () => {
            inside += 1
            await sleep(1)
            assert.equal(inside, 1)
            inside -= 1
          },
          NO_POLL,
        ),
      )
      await isWaitedFor(cluster, key, others.length)
      assert.equal(await holder.release(), 'released')
      await within(SOON, Promise.all(waiting), 'everybody')
      await isWaitedFor(cluster, key, 0)
    }
  })

  test('released before anybody could be told: it is looked at once more', async (t) => {
    const holding = await connected(t, cluster.urls)
    const redlock = await connected(t, cluster.urls, elsewhere)
    for (let i = 0; i < 50; i++) {
      const key = uniqueKey()
      const holder = await holding.acquire(key, TTL)
      const waiting = redlock.acquire(key, TTL, NO_POLL)
      for (let turns = i % 10; turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve))
      assert.equal(await holder.release(), 'released')
      const lock = await within(SOON, waiting, `who waits, in round ${i}`)
      assert.equal(await lock.release(), 'released')
    }
  })

  for (const [on, some] of [
    ['every node', () => cluster.servers],
    ['two nodes of three', () => cluster.servers.slice(1)],
  ]) {
    test(`deleted by hand on ${on}: who waits has the lock at once`, async (t) => {
      const redlock = await connected(t, cluster.urls)
      const key = uniqueKey()
      await heldByHand(cluster, key)
      const waiting = redlock.acquire(key, TTL, NO_POLL)
      await isWaitedFor(cluster, key)
      await Promise.all(some().map((server) => server.command('DEL', key)))
      const lock = await within(SOON, waiting, 'who waits')
      assert.equal(await lock.release(), 'released')
      await cluster.all('DEL', key)
    })
  }

  test('nobody waits any more: nobody is counted', async (t) => {
    const redlock = await connected(t, cluster.urls)
    const key = uniqueKey()
    await heldByHand(cluster, key)
    const controller = new AbortController()
    const waiting = redlock.acquire(key, TTL, { ...NO_POLL, signal: controller.signal })
    await isWaitedFor(cluster, key)
    controller.abort(new Error('enough'))
    await assert.rejects(waiting, /enough/)
    await isWaitedFor(cluster, key, 0)
    await cluster.all('DEL', key)
  })
})

describe('the connections of who waits are killed', { concurrency: true }, () => {
  for (const types of [['normal'], ['pubsub'], ['normal', 'pubsub']]) {
    for (const when of ['at once', 'once they are back']) {
      test(`${types.join(' and ')}, and the lock is released ${when}: it is heard of`, async (t) => {
        const cluster = await Cluster.start(3)
        t.after(() => cluster.stop())
        const redlock = await allUp(t, cluster.urls)
        const key = uniqueKey()
        let ups = 0
        redlock.on('nodeUp', () => (ups += 1))
        // On the connections of type pubsub nobody asks for a lock: losing them never takes a node away.
        const areBack = (times) =>
          types.includes('normal') && until(() => ups >= 3 * times, { what: 'the nodes are back' })
        for (let i = 0; i < 3; i++) {
          await heldByHand(cluster, key)
          const waiting = redlock.acquire(key, TTL, NO_POLL)
          await isWaitedFor(cluster, key)
          for (const type of types) await cluster.all('CLIENT', 'KILL', 'TYPE', type)
          if (when !== 'at once') {
            await areBack(i + 1)
            await isWaitedFor(cluster, key)
          }
          await cluster.all('DEL', key)
          const lock = await within(SOON, waiting, 'who waits')
          assert.equal(await lock.release(), 'released')
          await areBack(i + 1)
        }
      })
    }
  }
})

describe('the server withholds it', () => {
  const asApp = (cluster) => cluster.urls.map((url) => ({ url, username: 'app', password: 'secret' }))

  async function withRights(t, rights) {
    const aclfile = `user default on nopass ~* &* +@all\nuser app on >secret ${rights}\n`
    const cluster = await Cluster.start(3, { aclfile })
    t.after(() => cluster.stop())
    return { cluster, warned: warnings(t, 'DEGRADED') }
  }

  async function getsTheLock(t, cluster, options) {
    const holding = await connected(t, asApp(cluster))
    const redlock = await connected(t, asApp(cluster), elsewhere)
    for (let i = 0; i < 5; i++) {
      const key = uniqueKey()
      const holder = await holding.acquire(key, TTL)
      const waiting = redlock.acquire(key, TTL, options)
      await sleep(50)
      assert.equal(await holder.release(), 'released')
      const lock = await within(SOON, waiting, 'who waits')
      assert.equal(await lock.release(), 'released')
    }
  }

  /** One for each node that withholds something, however often it is asked. */
  async function warnedOnce(cluster, warned) {
    await until(() => warned.length >= cluster.servers.length, { what: 'the warnings' })
    await sleep(50)
    assert.equal(warned.length, cluster.servers.length)
    for (const url of cluster.urls) {
      assert.ok(warned.some((message) => message.startsWith(`${new URL(url).host}: `) && message.includes('NOPERM')))
    }
  }

  test('without CLIENT TRACKING who waits polls, and a warning says so', async (t) => {
    const { cluster, warned } = await withRights(t, '~* &* +@all -client')
    await getsTheLock(t, cluster, { wait: 120_000, retryDelay: 10, retryDelayMax: 50 })
    await warnedOnce(cluster, warned)
  })

  test('without channels who waits is still told, and a warning says that it is not counted', async (t) => {
    const { cluster, warned } = await withRights(t, '~* resetchannels +@all')
    await getsTheLock(t, cluster, NO_POLL)
    await warnedOnce(cluster, warned)
  })
})

describe('two sides that never stop', () => {
  const cluster = useCluster(3)

  test('20 calls wait on each, and the lock changes sides', async (t) => {
    const sides = await Promise.all([4, 5].map((handoverLimit) => connected(t, cluster.urls, { handoverLimit })))
    const key = uniqueKey()
    const done = [0, 0]
    let [isOver, last, streak, longest, changes] = [false, 0, 0, 0, 0]
    const section = async (side) => {
      if (side !== last) changes += 1
      streak = side === last ? streak + 1 : 1
      last = side
      longest = Math.max(longest, streak)
      done[side] += 1
      // Long enough for a holder to hear how many processes wait.
      await sleep(2)
    }
    const waiter = async (side) => {
      while (!isOver) await sides[side].withLock(key, TTL, () => section(side), { wait: 120_000 })
    }
    const everybody = Promise.all([0, 1].flatMap((side) => Array.from({ length: 20 }, () => waiter(side))))
    await until(() => Math.min(...done) >= 100, { what: 'both get on' }).finally(() => {
      isOver = true
    })
    await within(20_000, everybody, 'everybody')
    t.diagnostic(`${done.join(' + ')} sections, ${changes} changes of side, at most ${longest} in a row`)
    assert.ok(changes >= 4, `${changes} changes of side`)
  })
})
