'use strict'

// Faults while calls wait in the queue of their process: of the holder, of the nodes, of the thread that waits.

const path = require('node:path')
const { Worker } = require('node:worker_threads')
const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { Cluster, useCluster } = require('../support/cluster')
const { Child } = require('../support/child')
const { connected, elsewhere, uniqueKey } = require('../support/quorlock')
const { sleep, until, within } = require('../support/until')

const fixture = (name) => path.join(__dirname, 'fixtures', name)

/** So long that no poll can be what ends a wait. */
const NO_POLL = { wait: 120_000, retryDelay: 100_000 }

describe('the holder', { concurrency: true }, () => {
  const aclfile = 'user default on nopass ~* &* +@all\nuser app on >secret ~* &* +@all -client\n'
  const cluster = useCluster(3, { aclfile })
  const silent = () => cluster.urls.map((url) => ({ url, username: 'app', password: 'secret' }))

  for (const [how, nodesOf] of [
    ['the nodes tell of it', () => cluster.urls],
    ['the nodes do not tell of it', silent],
  ]) {
    test(`a process is killed: who waits gets its lock when its ttl has passed; ${how}`, async (t) => {
      const redlock = await connected(t, nodesOf())
      const key = uniqueKey()
      const child = new Child(fixture('holder.js'), { args: [key, 2000, ...cluster.urls] })
      t.after(() => child.stop())
      await child.message(({ held }) => held)
      const waiting = Array.from({ length: 5 }, () => redlock.acquire(key, 10_000, NO_POLL))
      const before = performance.now()
      const left = (await cluster.all('PTTL', key)).filter((ms) => ms > 0)
      await child.stop()
      assert.ok(left.length > 1 && redlock.stats().waiting === 5, 'they wait while it holds')

      for (const [i, call] of waiting.entries()) {
        const lock = await within(20_000, call, 'the next holder')
        const ms = performance.now() - before
        if (i === 0) assert.ok(ms >= Math.min(...left) - 5, `after ${ms} ms, of ${left}`)
        assert.equal(lock.isHeld, true)
        assert.equal(await lock.release(), 'released')
      }
    })
  }

  test('a lease lost under one of those who had it is lost for that one only', async (t) => {
    const redlock = await connected(t, cluster.urls)
    const key = uniqueKey()
    const lost = []
    redlock.on('lost', (event) => lost.push(event))
    const section = (i) =>
      redlock.withLock(
        key,
        1000,
        async (lock) => {
          await sleep(1)
          if (i === 4) {
            await cluster.all('DEL', key)
            await until(() => lock.signal.aborted, { what: 'the holder hears of it' })
          }
          return { held: lock.isHeld, id: lock.id }
        },
        NO_POLL,
      )
    const outcomes = await within(20_000, Promise.all(Array.from({ length: 10 }, (_, i) => section(i))), 'everybody')
    assert.deepEqual(
      outcomes.map(({ held }) => held),
      outcomes.map((_, i) => i !== 4),
    )
    assert.equal(lost.length, 1)
    assert.equal(lost[0].id, outcomes[4].id)
    assert.notEqual(outcomes[5].id, outcomes[4].id)
    await until(async () => (await cluster.holding(key)) === 0)
  })
})

describe('the nodes, while 20 calls wait on each of two sides', { concurrency: 2 }, () => {
  const WAITERS = 20

  /** Two sides that increment a counter the wrong way, under a lock, until they are told to end. */
  async function incrementers(t) {
    // Nodes come back without their keys, and do not vote for so long.
    const cluster = await Cluster.start(3)
    t.after(() => cluster.stop())
    const options = { maxTtl: 1000, defaultTtl: 1000 }
    const sides = [
      await connected(t, cluster.urls, options),
      await connected(t, cluster.urls, { ...options, ...elsewhere }),
    ]
    const key = uniqueKey()
    const [wrote, inside] = [[0, 0], new Set()]
    let [counter, isOver, overlaps] = [0, false, 0]

    async function increment(lock, side) {
      for (const other of inside) if (other.isHeld && lock.isHeld) overlaps += 1
      inside.add(lock)
      const value = counter
      await sleep(1)
      inside.delete(lock)
      // Who lost the lock must not go on.
      if (!lock.isHeld) return
      counter = value + 1
      wrote[side] += 1
    }
    async function waiter(side) {
      while (!isOver) await sides[side].withLock(key, 1000, (lock) => increment(lock, side), { wait: 120_000 })
    }
    const everybody = Promise.all(sides.flatMap((_, side) => Array.from({ length: WAITERS }, () => waiter(side))))
    // Looked at in the end; until then a failure would be nobody's.
    everybody.catch(() => {})

    return {
      cluster,
      sides,
      /** Resolves when both sides have got on. */
      async getOn(what) {
        const before = [...wrote]
        await until(() => wrote.every((count, side) => count >= before[side] + 20), { deadline: 30_000, what })
      },
      async end() {
        isOver = true
        await within(30_000, everybody, 'everybody')
        assert.equal(overlaps, 0)
        assert.equal(counter, wrote[0] + wrote[1])
        for (const side of sides) assert.equal(side.stats().waiting, 0)
        for (const side of sides) assert.equal(side.stats().timedOut, 0)
        await until(async () => (await cluster.holding(key)) === 0, { what: 'no key is left' })
        t.diagnostic(
          `${wrote.join(' + ')} increments, ${sides.map((side) => side.stats().lost).join(' + ')} locks lost`,
        )
      },
    }
  }

  const areDown = (sides, count) =>
    until(() => sides.every((side) => side.stats().nodes.filter(({ state }) => state === 'down').length >= count), {
      what: `${count} nodes are down`,
    })

  test('one is killed and comes back', async (t) => {
    const { cluster, sides, getOn, end } = await incrementers(t)
    await getOn('they begin')
    await cluster.servers[0].kill()
    await areDown(sides, 1)
    await getOn('they go on without the node')
    await cluster.servers[0].launch()
    await until(() => sides.every((side) => side.stats().nodes.every(({ state }) => state === 'up')))
    await getOn('they go on with the node')
    await end()
  })

  test('one is stopped and goes on', async (t) => {
    const { cluster, sides, getOn, end } = await incrementers(t)
    await getOn('they begin')
    cluster.servers[0].pause()
    try {
      await areDown(sides, 1)
      await getOn('they go on without the node')
    } finally {
      cluster.servers[0].resume()
    }
    await until(() => sides.every((side) => side.stats().nodes.every(({ state }) => state === 'up')))
    await getOn('they go on with the node')
    await end()
  })

  test('a majority is killed and comes back', async (t) => {
    const { cluster, sides, getOn, end } = await incrementers(t)
    await getOn('they begin')
    const gone = cluster.servers.slice(1)
    await Promise.all(gone.map((server) => server.kill()))
    await areDown(sides, 2)
    await Promise.all(gone.map((server) => server.launch()))
    await getOn('they go on with the nodes')
    await end()
  })

  test('a majority is stopped for longer than a lease lasts, and goes on', async (t) => {
    const { cluster, sides, getOn, end } = await incrementers(t)
    await getOn('they begin')
    const stopped = cluster.servers.slice(1)
    for (const server of stopped) server.pause()
    try {
      await areDown(sides, 2)
      await sleep(1000)
    } finally {
      for (const server of stopped) server.resume()
    }
    await getOn('they go on with the nodes')
    await end()
  })
})

describe('a thread', () => {
  const cluster = useCluster(3)
  const kinds = { memory: () => 'memory', Redis: () => cluster.urls }

  function work(t, nodes, key, times) {
    const worker = new Worker(fixture('waiting-worker.js'), { workerData: { nodes, key, times } })
    t.after(() => worker.terminate())
    const told = []
    worker.on('message', (word) => told.push(word))
    return { worker, tells: (word) => until(() => told.includes(word), { what: `the thread says '${word}'` }), told }
  }

  for (const [kind, nodesOf] of Object.entries(kinds)) {
    test(`that waits is terminated: who waits behind it gets the lock, over ${kind}`, async (t) => {
      const redlock = await connected(t, nodesOf())
      for (const when of ['before', 'while', 'after']) {
        for (let i = 0; i < 3; i++) {
          const key = uniqueKey()
          const holder = await redlock.acquire(key, 60_000)
          const { worker, tells, told } = work(t, nodesOf(), key, 20)
          await tells('asked')
          const waiting = redlock.acquire(key, 10_000, NO_POLL)
          if (when === 'before') await worker.terminate()
          const terminated = when === 'while' && worker.terminate()
          assert.equal(await holder.release(), 'released')
          await terminated
          if (when === 'after') {
            await tells('held')
            await worker.terminate()
          }
          const lock = await within(20_000, waiting, 'the call behind the thread')
          assert.equal(lock.isHeld, true)
          assert.equal(await lock.release(), 'released')
          assert.ok(told.filter((word) => word === 'held').length <= 1)
        }
      }
    })

    test(`that holds is terminated: who waits behind it gets the lock at once, over ${kind}`, async (t) => {
      const redlock = await connected(t, nodesOf())
      const key = uniqueKey()
      const { worker, tells } = work(t, nodesOf(), key, 20)
      await tells('held')
      const waiting = redlock.acquire(key, 10_000, NO_POLL)
      await worker.terminate()
      const lock = await within(20_000, waiting, 'the call behind the thread')
      assert.equal(await lock.release(), 'released')
    })
  }
})
