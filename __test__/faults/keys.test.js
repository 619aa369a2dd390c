'use strict'

// Keys that a careless client would mangle: with braces, spaces, line breaks, zeros, glob patterns, of the greatest length.
// Each is its own key, verbatim on the nodes, and no other's.

const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { useCluster } = require('../support/cluster')
const { allUp, elsewhere } = require('../support/quorlock')
const { until, within } = require('../support/until')

const keys = {
  'a hash tag': '{user:1}:lock',
  'braces that are empty, open and nested': '{}{{a}}}{b',
  'white space and line breaks': ' a\tb\r\nc ',
  'zeros and control characters': 'a\u0000b\u0001\u001b[31m\u007f',
  'what looks like the protocol': '*3\r\n$3\r\nSET\r\n',
  'glob patterns': '*?[a-z]\\*',
  'quotes and what Lua would read': `'"]]--\${x}%s%d`,
  'letters of everywhere': 'ключ-鍵-🔑-é-e\u0301',
  'the greatest length, in one byte each': 'k'.repeat(512),
  'the greatest length, in four bytes each': '🔑'.repeat(128),
  'a number': '007',
}

describe('keys', { concurrency: true }, () => {
  const cluster = useCluster(3)

  for (const fencing of [false, true]) {
    for (const [what, key] of Object.entries(keys)) {
      test(`${what}, ${fencing ? 'with' : 'without'} tokens`, async (t) => {
        const redlock = await allUp(t, cluster.urls, { fencing, keyPrefix: fencing ? '{f} ' : '' })
        const other = await allUp(t, cluster.urls, { fencing, keyPrefix: fencing ? '{f} ' : '', ...elsewhere })
        const name = `${fencing ? '{f} ' : ''}${key}`
        const lock = await redlock.acquire(key, 30_000, { renew: true })
        await until(async () => (await cluster.all('GET', name)).every((id) => id === lock.id))
        if (fencing) {
          const fences = await cluster.all('GET', `${name}:quorlock:fence`)
          for (const fence of fences) assert.ok(Number(fence) >= lock.token)
        }
        assert.equal(await other.tryAcquire(key, 30_000), null)
        const [inspected] = await other.inspect(key)
        assert.equal(inspected.id, lock.id)
        await lock.extend(40_000)
        // A quorum has answered by now; the others are asked as well.
        await until(async () => (await cluster.all('PTTL', name)).every((left) => left > 30_000))
        // Who waits is told under this name, too.
        const waiting = other.acquire(key, 30_000, { wait: 120_000, retryDelay: 100_000 })
        await until(async () =>
          (await cluster.all('PUBSUB', 'NUMSUB', `${name}:quorlock:wake`)).every(([, n]) => n === 1),
        )
        assert.equal(await lock.release(), 'released')
        const next = await within(5000, waiting, 'who waits')
        assert.equal(next.key, key)
        assert.equal(await next.release(), 'released')
        await until(async () => (await cluster.holding(name)) === 0)
      })
    }
  }

  test('keys that differ in one character only are different keys', async (t) => {
    const redlock = await allUp(t, cluster.urls, elsewhere)
    const alike = ['{a}b', '{a}c', 'a', 'a ', 'a\0', 'A', 'é', 'e\u0301', '{a}', '{{a}}']
    const locks = await Promise.all(alike.map((key) => redlock.acquire(`alike:${key}`, 30_000)))
    assert.equal(new Set(locks.map(({ id }) => id)).size, alike.length)
    for (const lock of locks) assert.equal(await lock.release(), 'released')
  })
})
