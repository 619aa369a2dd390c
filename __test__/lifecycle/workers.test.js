'use strict'

// Worker threads: each has its own JavaScript, all share one process, one set of memory nodes and one I/O thread.

const path = require('node:path')
const { Worker } = require('node:worker_threads')
const { once } = require('node:events')
const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { useCluster } = require('../support/cluster')
const { Child } = require('../support/child')
const { randomFrom } = require('../safety/random')
const { threads } = require('../support/leak')
const { connected, open, uniqueKey } = require('../support/quorlock')
const { sleep, timed, until, within } = require('../support/until')

/** `npm run test:memory` asks for more. */
const TERMINATIONS = Number(process.env.QUORLOCK_TEST_TERMINATIONS ?? 20)

const SCRIPT = path.join(__dirname, 'fixtures', 'worker.js')

describe('worker threads', () => {
  const cluster = useCluster(3)
  const kinds = { memory: () => 'memory', Redis: () => cluster.urls }

  function work(t, workerData) {
    const worker = new Worker(SCRIPT, { workerData })
    t.after(() => worker.terminate())
    return worker
  }
  const message = async (worker) => (await once(worker, 'message'))[0]

  for (const [kind, nodesOf] of Object.entries(kinds)) {
    test(`a worker and the main thread exclude each other over ${kind}`, async (t) => {
      const nodes = nodesOf()
      const key = uniqueKey()
      const redlock = await connected(t, nodes)
      const mine = await redlock.acquire(key, 5000)
      assert.deepEqual(await message(work(t, { nodes, task: 'tryOnce', key })), { got: false })
      await mine.release()

      const holder = work(t, { nodes, task: 'hold', key })
      const { held, id } = await message(holder)
      assert.equal(held, true)
      assert.equal(await redlock.tryAcquire(key, 5000), null)
      assert.ok((await redlock.inspect(key)).some((node) => node.id === id))
      assert.deepEqual(await message(work(t, { nodes, task: 'tryOnce', key })), { got: false })
      holder.postMessage('release')
      assert.deepEqual(await message(holder), { released: 'released' })
      const after = await redlock.tryAcquire(key, 5000)
      assert.ok(after)
      await after.release()
    })

    test(`4 workers x 100 increments over ${kind}`, async (t) => {
      const counter = new Int32Array(new SharedArrayBuffer(4))
      const data = { nodes: nodesOf(), task: 'increment', key: uniqueKey(), counter, times: 100 }
      const workers = Array.from({ length: 4 }, () => work(t, data))
      const codes = await within(60_000, Promise.all(workers.map((worker) => once(worker, 'exit'))), 'the workers')
      assert.deepEqual(codes.flat(), [0, 0, 0, 0])
      assert.equal(counter[0], 400)
    })

    test(`terminate() with locks held and waiters queued, over ${kind}`, async (t) => {
      const nodes = nodesOf()
      const redlock = await connected(t, nodes)
      for (let i = 0; i < 5; i++) {
        const key = uniqueKey()
        const worker = work(t, { nodes, task: 'busy', key })
        assert.equal(await message(worker), 'busy')
        await sleep(i * 7)
        await worker.terminate()
        const keys = Array.from({ length: 20 }, (_, n) => [`${key}:held:${n}`, `${key}:section:${n}`]).flat()
        // Long before their ttl of a minute: they were given back.
        const locks = await Promise.all(keys.map((name) => redlock.acquire(name, 5000, { wait: 10_000 })))
        await Promise.all(locks.map((lock) => lock.release()))
      }
    })

    test(`a worker that is done ends by itself, and what it held is free, over ${kind}`, async (t) => {
      const nodes = nodesOf()
      const key = uniqueKey()
      const worker = work(t, { nodes, task: 'idle', key })
      const exited = once(worker, 'exit')
      assert.deepEqual(await message(worker), { held: true })
      const [code] = await within(10_000, exited, 'the worker')
      assert.equal(code, 0)
      const lock = await open(t, nodes).acquire(key, 1000, { wait: 10_000 })
      assert.equal(lock.isHeld, true)
    })

    test(`workers come and go where the main thread never loads the package, over ${kind}`, async (t) => {
      const script = path.join(__dirname, 'fixtures', 'workers-only.js')
      const child = new Child(script, { args: [nodesOf(), uniqueKey()] })
      t.after(() => child.stop())
      const { code, signal, stdout, stderr } = await within(20_000, child.ended, 'the process')
      assert.equal(stderr, '')
      assert.deepEqual({ code, signal }, { code: 0, signal: null })
      assert.equal(stdout, 'true 0\n'.repeat(3))
    })
  }

  test('terminate() at any moment, also while the worker starts', async (t) => {
    const random = randomFrom(Number(process.env.QUORLOCK_TEST_SEED ?? 7))
    const watching = open(t, cluster.urls)
    const key = uniqueKey()
    for (let begun = 0; begun < TERMINATIONS; begun += 4) {
      const nodes = random() < 0.3 ? 'memory' : cluster.urls
      const workers = Array.from({ length: 4 }, () => work(t, { nodes, task: 'busy', key: `${key}:${random()}` }))
      const ends = workers.map(async (worker) => {
        // Every other one is at work by then, the others somewhere on the way.
        if (random() < 0.5) assert.equal(await message(worker), 'busy')
        await sleep(random() * 100)
        await worker.terminate()
      })
      await within(30_000, Promise.all(ends), 'the ends of four workers')
    }
    // Nobody's keys are left, and the nodes still serve this thread.
    await until(async () => (await cluster.all('KEYS', `${key}:*`)).flat().length === 0, { deadline: 90_000 })
    assert.equal(await watching.withLock(key, 5000, () => 7), 7)
  })

  test('terminate() of a worker with 40 instances waits for hung nodes once', async (t) => {
    const worker = work(t, { nodes: cluster.urls, task: 'many', key: uniqueKey(), times: 40 })
    assert.equal(await message(worker), 'holding')
    for (const server of cluster.servers) server.pause()
    t.after(() => {
      for (const server of cluster.servers) server.resume()
    })
    const { ms } = await timed(() => worker.terminate())
    assert.ok(ms < 1000, `${ms} ms, of which 100 ms are for the nodes`)
  })

  test('many workers come and go: no thread stays, the main thread is not disturbed', async (t) => {
    const redlock = await connected(t, cluster.urls)
    const key = uniqueKey()
    const lock = await redlock.acquire(key, 1000, { renew: true })
    const before = threads()
    for (let i = 0; i < 6; i++) {
      const names = [uniqueKey(), uniqueKey(), uniqueKey()]
      const workers = names.map((name) => work(t, { nodes: i % 2 ? 'memory' : cluster.urls, task: 'busy', key: name }))
      await Promise.all(workers.map(message))
      await Promise.all(workers.map((worker) => worker.terminate()))
    }
    await until(() => threads() <= before, { deadline: 10_000, what: `again ${before} threads` })
    assert.equal(lock.isHeld, true)
    assert.equal(await lock.release(), 'released')
  })
})
