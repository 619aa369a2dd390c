'use strict'

// How long calls take while one node of three does not answer, or answers late: no longer than the other two need.

const fs = require('node:fs')
const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { setUp, NODE_TIMEOUT } = require('./fault')
const { uniqueKey } = require('../support/quorlock')
const { timed, until } = require('../support/until')

const CYCLES = 200

const faults = {
  killed: ({ server }) => server.kill(),
  'stopped (SIGSTOP)': async ({ server }) => server.pause(),
  'refusing connections': ({ proxy }) => proxy.refuse(),
  'half-open': async ({ proxy }) => proxy.halfOpen(),
  'late by three times the node timeout': async ({ proxy }) => proxy.toClient.delay(3 * NODE_TIMEOUT),
  'losing requests': async ({ proxy }) => proxy.toServer.swallow(),
  'losing replies': async ({ proxy }) => proxy.toClient.swallow(),
}

describe('one node of three is', { concurrency: true }, () => {
  for (const [what, inject] of Object.entries(faults)) {
    test(`${what}: acquire, extend and release are not slower than the node timeout, from the first one on`, async (t) => {
      const { redlock, nodes } = await setUp(t)
      await inject(nodes[0])
      const times = []
      const measure = async (call) => {
        const { value, error, ms } = await timed(call)
        assert.equal(error, undefined)
        times.push(ms)
        return value
      }
      for (let i = 0; i < CYCLES; i++) {
        const lock = await measure(() => redlock.acquire(uniqueKey(), 30_000, { wait: 0 }))
        await measure(() => lock.extend(30_000))
        assert.equal(await measure(() => lock.release()), 'released')
      }
      times.sort((a, b) => a - b)
      const p99 = times[Math.floor(times.length * 0.99)]
      t.diagnostic(`p50 ${times[times.length >> 1].toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`)
      assert.ok(p99 < NODE_TIMEOUT, `p99 ${p99} ms`)
    })
  }
})

describe('a network', { concurrency: true }, () => {
  test('that delays every chunk by something else: nobody is called down, validity is what is left', async (t) => {
    const { redlock, nodes, changes } = await setUp(t, { options: { nodeTimeout: 5000 } })
    for (const { proxy } of nodes) {
      proxy.toServer.jitter(0, 30)
      proxy.toClient.jitter(5, 60)
    }
    for (let i = 0; i < 20; i++) {
      const key = uniqueKey()
      const { value: lock, ms } = await timed(() => redlock.acquire(key, 5000, { wait: 20_000 }))
      assert.ok(ms >= 5 && lock.remaining <= 5000 - ms + 5, `${lock.remaining} ms are left after ${ms} ms`)
      await lock.extend(5000)
      assert.equal(await lock.release(), 'released')
    }
    assert.deepEqual(changes, [])
  })

  test('that takes longer than a lock lasts: what comes too late is no lock', async (t) => {
    const { redlock, nodes } = await setUp(t, { options: { nodeTimeout: 5000 } })
    for (const { proxy } of nodes) proxy.toClient.delay(400)
    const { value, error } = await timed(() => redlock.acquire(uniqueKey(), 300, { wait: 1500 }))
    assert.equal(value, undefined)
    assert.match(error.code, /^ERR_(QUORUM_UNAVAILABLE|LOCK_CONTENDED)$/)
  })
})

describe('connections', { skip: !fs.existsSync('/proc/net/tcp') && 'the kernel does not show its timers' }, () => {
  test('that are idle are watched by the kernel (TCP keep-alive)', async (t) => {
    const { cluster, redlock } = await setUp(t)
    await (await redlock.acquire(uniqueKey(), 5000)).release()
    const ports = new Set(cluster.ports)
    // Ours are those whose remote end is a proxy; the proxies' own have no such timer.
    const proxied = new Set(redlock.stats().nodes.map(({ name }) => Number(name.split(':').at(-1))))
    assert.ok(![...proxied].some((port) => ports.has(port)))
    const timers = () => {
      const found = new Map()
      for (const line of fs.readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1)) {
        const [, , remote, state, , timer] = line.trim().split(/\s+/)
        const port = Number.parseInt(remote?.split(':')[1] ?? '0', 16)
        // 01: established. 02: the timer that runs is that of keep-alive.
        if (proxied.has(port) && state === '01') found.set(port, timer.split(':')[0])
      }
      return found
    }
    await until(() => timers().size === 3 && [...timers().values()].every((timer) => timer === '02'), {
      what: 'the kernel watches all three',
    })
  })
})
