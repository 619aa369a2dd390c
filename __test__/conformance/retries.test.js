'use strict'

// Retries without jitter keep contenders in step, so that they meet again each time. And "do not retry" must be
// something one can say per call.

const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { useCluster, proxies } = require('../support/cluster')
const { peers, ioredis, universalAdapters, showsDefect } = require('../support/peers')
const { connected, uniqueKey } = require('../support/quorlock')
const { timed } = require('../support/until')

const ROUNDS = 12
const DELAY = 60

/** The smallest and the largest of the times between one entry and the next. */
function gaps(times) {
  const between = times.slice(1).map((time, i) => time - times[i])
  return { least: Math.min(...between), most: Math.max(...between) }
}

describe('retries', { concurrency: true }, () => {
  const cluster = useCluster(1)

  async function heldKey() {
    const key = uniqueKey('held')
    await cluster.servers[0].command('SET', key, 'foreign', 'PX', 60_000)
    return key
  }

  test('redlock-universal waits the same time before each retry', async (t) => {
    const { createLock } = peers.universal.api
    const [adapter] = universalAdapters(await ioredis(t, cluster.urls))
    const lock = createLock({ adapter, key: await heldKey(), ttl: 1000, retryAttempts: ROUNDS, retryDelay: DELAY })
    // What it asks the timer for says it exactly; arrival times would blur it.
    const asked = []
    const { setTimeout: original } = globalThis
    globalThis.setTimeout = (fn, ms, ...rest) => {
      asked.push(ms)
      return original(fn, ms, ...rest)
    }
    t.after(() => {
      globalThis.setTimeout = original
    })
    await timed(() => lock.acquire())
    globalThis.setTimeout = original
    const delays = asked.filter((ms) => ms === DELAY).length
    showsDefect(t, peers.universal, {
      fails: delays >= ROUNDS,
      seen: `${delays} of ${ROUNDS} retries were exactly ${DELAY} ms apart`,
    })
  })

  test('quorlock draws each delay from its upper half', async (t) => {
    const [node] = await proxies(t, cluster)
    const redlock = await connected(t, node.url)
    const key = await heldKey()
    const sent = []
    node.toServer.corrupt((chunk) => {
      if (chunk.includes(key) && chunk.includes('SET')) sent.push(performance.now())
      return chunk
    })
    const { error } = await timed(() =>
      redlock.acquire(key, 1000, { retryCount: ROUNDS, retryDelay: DELAY, retryDelayMax: DELAY }),
    )
    assert.equal(error.attempts, ROUNDS + 1)
    // The sum of the delays tells their lower bound; single arrivals are blurred by a busy machine.
    const total = sent.at(-1) - sent[0]
    assert.ok(total >= (ROUNDS * DELAY) / 2 - 5, `${ROUNDS} delays took only ${total} ms`)
    const { least, most } = gaps(sent)
    assert.ok(most - least > 3, `all rounds ${least} to ${most} ms apart`)
  })

  test('redlock 4: retryCount 0 of a call means the default', async (t) => {
    const redlock = new peers.redlock4.Redlock(await ioredis(t, cluster.urls), { retryDelay: 20, retryJitter: 0 })
    const key = await heldKey()
    const { error } = await timed(() => redlock.lockWithOptions(key, 1000, { retryCount: 0 }))
    showsDefect(t, peers.redlock4, {
      fails: error?.attempts > 1,
      seen: `lockWithOptions with retryCount 0 made ${error?.attempts} attempts`,
    })
  })

  test('quorlock: retryCount 0 of a call is one round', async (t) => {
    const redlock = await connected(t, cluster.urls, { retryCount: 10, retryDelay: 20 })
    const key = await heldKey()
    const { error } = await timed(() => redlock.acquire(key, 1000, { retryCount: 0 }))
    assert.equal(error.attempts, 1)
  })
})
