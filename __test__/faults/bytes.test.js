'use strict'

// A node that answers with something else than a reply. It loses its vote; nothing else happens: no crash, no memory,
// and never a lock.

const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { fault, setUp, BOUND } = require('./fault')
const { open, uniqueKey } = require('../support/quorlock')
const { sleep, timed } = require('../support/until')

// After the first wrong reply the connection is at an end, and later calls may meet a new one in any state.
const LATER = ['PROTOCOL', 'CONNECT', 'TIMEOUT']

const corrupted = (what, replace, first = 'PROTOCOL') =>
  fault(what, {
    inject: async ({ proxy }) => proxy.toClient.corrupt(replace),
    heal: async ({ proxy }) => {
      proxy.heal()
      proxy.reset()
    },
    first,
    code: LATER,
    announced: false,
  })

const noise = Buffer.from(Array.from({ length: 64 }, (_, i) => (i * 151 + 13) % 256))

corrupted('garbage', () => noise)
corrupted('an HTTP server', () => 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')
corrupted('an integer in place of OK', () => ':1\r\n')
corrupted('a list in place of OK', () => '*2\r\n$2\r\nOK\r\n$2\r\nOK\r\n')
corrupted('another text in place of OK', () => '+QUEUED\r\n')
corrupted('a push in place of every reply', () => '>2\r\n$7\r\nmessage\r\n$2\r\nOK\r\n', LATER)
corrupted('replies without their last byte', (chunk) => chunk.subarray(0, -1), LATER)
corrupted('a bulk that is announced and never comes', () => '$536870912\r\nx', LATER)
corrupted('a bulk longer than any memory', () => '$9223372036854775807\r\n', LATER)
corrupted('a list longer than any memory', () => '*2147483647\r\n', LATER)
corrupted('lists in lists in lists', () => '*1\r\n'.repeat(100_000), LATER)

describe('replies nobody asked for', { concurrency: true }, () => {
  test('a megabyte per request leaves the memory alone', async (t) => {
    const { redlock, nodes } = await setUp(t)
    const megabyte = Buffer.concat([Buffer.from('$1048576\r\n'), Buffer.alloc(1_048_576, 'x'), Buffer.from('\r\n')])
    nodes[0].proxy.toClient.corrupt(() => megabyte)
    const before = process.memoryUsage().rss
    for (let i = 0; i < 100; i++) {
      const lock = await redlock.acquire(uniqueKey(), 5000)
      await lock.release()
    }
    const grown = (process.memoryUsage().rss - before) / 1_048_576
    assert.ok(grown < 256, `${Math.round(grown)} MB more`)
  })

  test('extra replies do not become the answers to later requests', async (t) => {
    const { redlock, nodes } = await setUp(t)
    // One node of three: a majority that lies is beyond any client.
    for (const { proxy } of nodes.slice(2))
      proxy.toClient.corrupt((chunk) => Buffer.concat([chunk, Buffer.from('+OK\r\n')]))
    const key = uniqueKey()
    // Held by somebody on every node: an answer that belongs to another request would be a lock of two.
    await Promise.all(nodes.map(({ server }) => server.command('SET', key, 'foreign', 'PX', 60_000)))
    for (let i = 0; i < 10; i++) {
      const { value } = await timed(() => redlock.tryAcquire(key, 5000))
      assert.equal(value ?? null, null)
    }
  })

  test('a server that says OK to everything, before it is asked', async (t) => {
    const { nodes } = await setUp(t)
    for (const { proxy } of nodes) proxy.toClient.corrupt(() => '+OK\r\n'.repeat(50))
    const redlock = open(
      t,
      nodes.map(({ proxy }) => proxy.url),
    )
    const { error, value, ms } = await timed(() => redlock.acquire(uniqueKey(), 5000, { wait: 0 }))
    assert.equal(value, undefined)
    assert.equal(error?.code, 'ERR_QUORUM_UNAVAILABLE')
    assert.ok(ms < BOUND + 2000)
    await sleep(50)
  })
})
