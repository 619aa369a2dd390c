'use strict'

// A call that is given up at any moment: between its being sent and its answer, while it gives back a failed round, while
// it waits. Whatever it had been granted by then is given back, and nobody who waits behind it is forgotten.

const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { Cluster, proxies, urlsOf } = require('../support/cluster')
const { allUp, elsewhere, uniqueKey } = require('../support/quorlock')
const { until, within } = require('../support/until')

const LONG = 60_000
const NO_POLL = { wait: 120_000, retryDelay: 100_000 }

/** The moments at which a call is given up: after so many microtasks, or turns of the event loop. */
const moments = [
  ...Array.from({ length: 6 }, (_, n) => [`microtask ${n}`, async () => repeat(n, () => Promise.resolve())]),
  ...Array.from({ length: 40 }, (_, n) => [`turn ${n}`, () => repeat(n, () => new Promise(setImmediate))]),
  ...[1, 2, 3, 5, 8, 13, 21, 34, 55].map((ms) => [`${ms} ms`, () => new Promise((next) => setTimeout(next, ms))]),
]

async function repeat(times, step) {
  for (let i = 0; i < times; i++) await step()
}

/** Of the calls that were given up, how many had the lock already: those give it back as everybody does. */
async function settle(asked, reason) {
  const outcome = await within(10_000, asked, 'a call that was given up')
  if (outcome.error) assert.equal(outcome.error, reason)
  else await outcome.lock.release()
  return outcome.error ? 0 : 1
}

const outcomeOf = (call) =>
  call.then(
    (lock) => ({ lock }),
    (error) => ({ error }),
  )

async function setUp(t, options) {
  const cluster = await Cluster.start(3)
  t.after(() => cluster.stop())
  const between = await proxies(t, cluster)
  const redlock = await allUp(t, urlsOf(between), options)
  const other = await allUp(t, urlsOf(between), { ...options, ...elsewhere })
  return { cluster, between, redlock, other }
}

/** Nothing is left of anybody: not in the process, not on the nodes. */
async function nothingIsLeft({ cluster, redlock }, keys) {
  for (const key of keys) await until(async () => (await cluster.holding(key)) === 0, { what: `${key} is free` })
  const { held, waiting } = redlock.stats()
  assert.deepEqual({ held, waiting }, { held: 0, waiting: 0 })
}

describe('given up at every moment', { concurrency: true }, () => {
  for (const fencing of [false, true]) {
    const how = fencing ? 'with tokens' : 'without tokens'

    test(`of a call for a free key, ${how}`, async (t) => {
      const context = await setUp(t, { fencing })
      const { redlock, between } = context
      // Slow answers, each node's later: moments fall between any two of them.
      for (const [i, { toClient }] of between.entries()) toClient.delay(5 + 10 * i)
      const keys = []
      let granted = 0
      for (const [, pass] of moments) {
        const key = uniqueKey()
        keys.push(key)
        const controller = new AbortController()
        const reason = new Error('enough')
        const asked = outcomeOf(redlock.acquire(key, LONG, { signal: controller.signal }))
        await pass()
        controller.abort(reason)
        granted += await settle(asked, reason)
      }
      assert.ok(granted > 0 && granted < moments.length, `${granted} of ${moments.length} were granted before`)
      for (const { toClient } of between) toClient.pass()
      await nothingIsLeft(context, keys)
    })

    test(`of one that waits for a holder who releases meanwhile, ${how}: who waits behind it gets the lock`, async (t) => {
      const context = await setUp(t, { fencing })
      const { redlock, other } = context
      const key = uniqueKey()
      for (const [moment, pass] of moments) {
        const holder = await other.acquire(key, LONG, NO_POLL)
        const controller = new AbortController()
        const reason = new Error('enough')
        const asked = outcomeOf(redlock.acquire(key, LONG, { ...NO_POLL, signal: controller.signal }))
        const behind = redlock.acquire(key, LONG, NO_POLL)
        const releasing = holder.release()
        await pass()
        controller.abort(reason)
        await settle(asked, reason)
        assert.equal(await releasing, 'released')
        const lock = await within(10_000, behind, `who waits behind it, at ${moment},`)
        assert.equal(await lock.release(), 'released')
      }
      await nothingIsLeft(context, [key])
    })

    test(`of several keys, one of them taken, ${how}: the others are free at once`, async (t) => {
      const context = await setUp(t, { fencing })
      const { redlock, other } = context
      const taken = uniqueKey()
      const holder = await other.acquire(taken, LONG)
      const keys = []
      for (const [, pass] of moments) {
        const key = uniqueKey()
        keys.push(key)
        const controller = new AbortController()
        const reason = new Error('enough')
        const asked = outcomeOf(redlock.acquire([key, taken], LONG, { wait: LONG, signal: controller.signal }))
        await pass()
        controller.abort(reason)
        assert.equal(await settle(asked, reason), 0)
      }
      await holder.release()
      await nothingIsLeft(context, [...keys, taken])
    })
  }
})
