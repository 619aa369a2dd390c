'use strict'

// node --expose-gc --max-semi-space-size=1 soak.js <seconds> <seed>   (a small nursery: growth is not hidden in it)
//
// Starts three servers, works on them in every way the API has while one server at a time is stopped and continued,
// checks exclusion at every grant, and at the end what this process and the servers still hold. Fails by exit code.

const assert = require('node:assert/strict')
const { Redlock, isLockError } = require('../..')
const { Cluster } = require('../support/cluster')
const { collect, reading } = require('../support/leak')
const { sleep, until, within } = require('../support/until')
const { randomFrom } = require('./random')

const WORKERS = 100
const KEYS = 60
const MEGABYTE = 1_048_576

const [seconds, seed] = process.argv.slice(2).map(Number)
const random = randomFrom(seed)
const between = (from, to) => Math.floor(from + random() * (to - from + 1))
const pick = (list) => list[between(0, list.length - 1)]

const counts = {}
const count = (what) => {
  counts[what] = (counts[what] ?? 0) + 1
}
const surprises = []
for (const event of ['unhandledRejection', 'uncaughtException', 'warning']) {
  process.on(event, (error) => surprises.push(`${event}: ${error?.stack ?? error}`))
}

/** Every lock we were given and have not seen end, per key: two that are held at once are the end of this run. */
class Holders {
  #byKey = new Map()

  enter(lock) {
    for (const key of new Set([lock.key].flat())) {
      const others = this.#byKey.get(key) ?? new Set()
      this.#byKey.set(key, others)
      for (const other of others) {
        if (!other.isHeld) others.delete(other)
        else surprises.push(`${key} has two holders: ${other.id} (${other.remaining} ms left) and ${lock.id}`)
      }
      if (lock.isHeld) others.add(lock)
    }
  }

  leave(lock) {
    for (const key of [lock.key].flat()) this.#byKey.get(key)?.delete(lock)
  }
}

const holders = new Holders()
const key = () => `soak:${between(1, KEYS)}`

/** The ways to work with a lock; each ends with nothing held, or with something that ends by itself. */
const work = {
  async section(redlock) {
    const value = await redlock.withLock(
      key(),
      between(300, 2000),
      async (lock) => {
        holders.enter(lock)
        await sleep(between(0, 40))
        holders.leave(lock)
        return lock.id
      },
      { wait: between(50, 3000) },
    )
    assert.equal(typeof value, 'string')
  },

  async failingSection(redlock) {
    const mine = new Error('mine')
    try {
      await redlock.withLock(key(), 1000, () => Promise.reject(mine), { wait: 500 })
    } catch (error) {
      if (error !== mine && !isLockError(error)) throw error
    }
  },

  async longSection(redlock) {
    await redlock.withLock(key(), 300, async (lock) => {
      holders.enter(lock)
      const { signal } = lock
      await sleep(between(300, 900))
      if (signal.aborted) count('lost in a section')
      holders.leave(lock)
    })
  },

  async handle(redlock) {
    const lock = await redlock.tryAcquire(key(), between(300, 2000))
    if (!lock) return count('refused')
    holders.enter(lock)
    if (random() < 0.5) await lock.extend(between(300, 3000)).catch(onlyLockErrors)
    await sleep(between(0, 10))
    holders.leave(lock)
    count(await lock.release())
  },

  async severalKeys(redlock) {
    const lock = await redlock.acquire([key(), key(), key()], 1000, { wait: 1000 })
    holders.enter(lock)
    await sleep(between(0, 5))
    holders.leave(lock)
    await lock.release()
  },

  async aborted(redlock) {
    const signal = AbortSignal.timeout(between(0, 100))
    const lock = await redlock.acquire(key(), 1000, { wait: 5000, signal })
    await lock.release()
  },

  async expiring(redlock) {
    const lock = await redlock.acquire(key(), between(20, 100), { wait: 500 })
    holders.enter(lock)
    await sleep(between(0, 150))
    holders.leave(lock)
    count(await lock.release())
  },

  async provider(redlock) {
    const lock = redlock.createLock(key())
    if (await lock.tryAcquire(between(0, 200))) await lock.release()
  },

  async looking(redlock) {
    await redlock.inspect(key())
    redlock.stats()
    redlock.locks()
  },
}

function onlyLockErrors(error) {
  if (!isLockError(error) && error.name !== 'TimeoutError') throw error
  count(isLockError(error) ? error.code : error.name)
}

async function worker(redlock, end) {
  while (performance.now() < end) {
    const kind = pick(Object.keys(work))
    count(kind)
    try {
      await work[kind](redlock)
    } catch (error) {
      onlyLockErrors(error)
    }
  }
}

/** One server at a time is stopped for a while. */
async function troubleMaker(cluster, end) {
  while (performance.now() < end) {
    const server = pick(cluster.servers)
    server.pause()
    count('node stopped')
    await sleep(between(20, 600))
    server.resume()
    await sleep(between(20, 400))
  }
}

async function round(redlock, cluster, ms) {
  const end = performance.now() + ms
  const workers = Array.from({ length: WORKERS }, () => worker(redlock, end))
  await within(ms + 30_000, Promise.all([...workers, troubleMaker(cluster, end)]), 'all work')
  assert.equal(redlock.stats().waiting, 0)
  // What a stopped server was sent is executed and cleaned up; what was left to expire expires.
  await until(async () => (await cluster.all('DBSIZE')).every((size) => size === 0), {
    deadline: 20_000,
    what: 'no key is left',
  })
  await until(() => redlock.stats().nodes.every((node) => node.state === 'up'), { deadline: 20_000 })
  assert.equal(redlock.stats().held, 0)
  assert.deepEqual(redlock.locks(), [])
  await collect()
}

async function main() {
  const cluster = await Cluster.start(3)
  const before = reading()
  const redlock = new Redlock({ nodes: cluster.urls, retryDelay: 10, retryDelayMax: 100 })
  await redlock.connect()

  // The first part fills every buffer and table to its working size; the second must not add to it.
  await round(redlock, cluster, seconds * 300)
  const warm = reading()
  await round(redlock, cluster, seconds * 700)
  const after = reading()

  assert.equal(after.threads, warm.threads, 'native threads')
  assert.ok(after.descriptors <= warm.descriptors + 2, `descriptors: ${warm.descriptors}, then ${after.descriptors}`)
  assert.deepEqual(after.resources.Timeout ?? 0, warm.resources.Timeout ?? 0, 'timers')
  for (const kind of ['heapUsed', 'external', 'arrayBuffers']) {
    const grown = (after[kind] - warm[kind]) / MEGABYTE
    assert.ok(grown < 8, `${kind}: ${grown.toFixed(1)} MB more`)
  }
  const grown = (after.rss - warm.rss) / MEGABYTE
  assert.ok(grown < 20 + seconds / 4, `resident memory: ${grown.toFixed(1)} MB more`)

  await redlock.close()
  await until(() => reading().sockets <= before.sockets, { what: 'the connections are closed' })
  assert.deepEqual(surprises, [])
  const { acquired, contended, lost, extended, released } = redlock.stats()
  console.log(JSON.stringify({ acquired, contended, lost, extended, released }))
  console.log(JSON.stringify(counts))
  const shown = ({ rss, heapUsed, descriptors, threads }) =>
    `${Math.round(rss / MEGABYTE)} MB resident, ${Math.round(heapUsed / MEGABYTE)} MB heap, ${descriptors} descriptors, ${threads} threads`
  console.log(`warm: ${shown(warm)}; after: ${shown(after)}`)
  await cluster.stop()
  process.disconnect?.()
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
