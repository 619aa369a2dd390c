'use strict'

// A node that answers with an error. Each is a fault of that node, under a name that tells an operator what to do.

const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { fault, setUp, everyNodeVotes, works } = require('./fault')
const { open, uniqueKey } = require('../support/quorlock')
const { RespClient } = require('../support/resp')
const { ScriptedServer } = require('../support/scripted-server')
const { sleep, until } = require('../support/until')

const config =
  (name, value) =>
  ({ server }) =>
    server.command('CONFIG', 'SET', name, value)

fault('OOM (maxmemory reached, noeviction)', {
  inject: config('maxmemory', 1),
  heal: config('maxmemory', 0),
  code: 'OOM',
  message: /OOM|memory/,
  announced: false,
})

fault('READONLY (turned into a replica while we are connected)', {
  inject: ({ server }) => server.command('REPLICAOF', '127.0.0.1', 1),
  heal: ({ server }) => server.command('REPLICAOF', 'NO', 'ONE'),
  code: ['READONLY', 'NOT_MASTER'],
})

fault('NOREPLICAS (min-replicas-to-write)', {
  inject: config('min-replicas-to-write', 1),
  heal: config('min-replicas-to-write', 0),
  message: /NOREPLICAS/,
  announced: false,
})

fault('MISCONF (the last snapshot failed)', {
  inject: ({ server }) => server.failSnapshot(),
  heal: ({ server }) => server.healSnapshot(),
  message: /MISCONF/,
  announced: false,
})

fault('NOPERM (the right to run scripts and to SET is taken away)', {
  inject: ({ server }) => server.command('ACL', 'SETUSER', 'default', '-@all', '+@connection', '+info'),
  heal: async ({ server }) => {
    // The assertions' own connection is of the same user.
    await server.restart()
  },
  code: 'NOPERM',
  message: /permission|NOPERM/,
  announced: false,
})

fault('a busy script', {
  inject: async (node) => {
    // The name that every version knows; Redis 7 calls it busy-reply-threshold.
    await node.server.command('CONFIG', 'SET', 'lua-time-limit', 1)
    node.script = node.server.command('EVAL', 'while true do end', 0).catch(() => {})
    const other = await RespClient.connect({ port: node.proxy.target })
    await until(
      () =>
        other.command('PING').then(
          () => false,
          (error) => /^BUSY/.test(error.message),
        ),
      { what: 'the script runs' },
    )
    other.close()
  },
  heal: async ({ server, proxy }) => {
    const killer = await RespClient.connect({ port: proxy.target })
    await killer.command('SCRIPT', 'KILL')
    killer.close()
    await server.command('PING')
  },
  message: /BUSY/,
  announced: false,
})

describe('errors at the wrong moment', { concurrency: true }, () => {
  const onAll = (nodes, ...words) => Promise.all(nodes.map(({ server }) => server.command(...words)))

  test('NOSCRIPT after SCRIPT FLUSH is repaired inside the same call', async (t) => {
    const { redlock, nodes, cluster } = await setUp(t)
    for (let i = 0; i < 3; i++) {
      const key = uniqueKey()
      const lock = await redlock.acquire(key, 30_000, { wait: 0 })
      await onAll(nodes, 'SCRIPT', 'FLUSH')
      await lock.extend(40_000)
      await until(async () => (await cluster.holding(key)) === 3)
      await onAll(nodes, 'SCRIPT', 'FLUSH')
      assert.equal(await lock.release(), 'released')
      await until(async () => (await cluster.holding(key)) === 0)
    }
  })

  test('NOSCRIPT for many that are extended and released at once', async (t) => {
    const { redlock, nodes, cluster } = await setUp(t)
    const keys = Array.from({ length: 200 }, () => uniqueKey())
    const locks = await Promise.all(keys.map((key) => redlock.acquire(key, 30_000, { wait: 20_000 })))
    await onAll(nodes, 'SCRIPT', 'FLUSH')
    await Promise.all(locks.map((lock) => lock.extend(40_000)))
    await onAll(nodes, 'SCRIPT', 'FLUSH')
    const results = await Promise.all(locks.map((lock) => lock.release()))
    assert.deepEqual(new Set(results), new Set(['released']))
    await until(async () => (await Promise.all(keys.map((key) => cluster.holding(key)))).every((count) => count === 0))
  })

  test('a key that may not be touched any more fails alone, among many that are released at once', async (t) => {
    const { redlock, nodes, cluster } = await setUp(t)
    const [mine, theirs] = [uniqueKey('mine'), uniqueKey('theirs')]
    const locks = []
    for (const key of [`${mine}:1`, theirs, `${mine}:2`]) locks.push(await redlock.acquire(key, 30_000))
    await until(async () => (await cluster.holding(theirs)) === 3)
    await onAll(nodes, 'ACL', 'SETUSER', 'default', 'resetkeys', `~${mine}:*`)
    const results = await Promise.all(locks.map((lock) => lock.release()))
    assert.deepEqual(results, ['released', 'unknown', 'released'])
    await onAll(nodes, 'ACL', 'SETUSER', 'default', 'allkeys')
    await until(async () => (await cluster.holding(`${mine}:1`)) + (await cluster.holding(`${mine}:2`)) === 0)
  })

  test('no right to MGET: many that are extended and released at once are served one by one', async (t) => {
    const { redlock, nodes, cluster } = await setUp(t)
    await onAll(nodes, 'ACL', 'SETUSER', 'default', '-mget')
    const keys = Array.from({ length: 20 }, () => uniqueKey())
    const locks = await Promise.all(keys.map((key) => redlock.acquire(key, 30_000, { wait: 20_000 })))
    await Promise.all(locks.map((lock) => lock.extend(40_000)))
    assert.ok(locks.every((lock) => lock.remaining > 30_000))
    const results = await Promise.all(locks.map((lock) => lock.release()))
    assert.deepEqual(new Set(results), new Set(['released']))
    await until(async () => (await Promise.all(keys.map((key) => cluster.holding(key)))).every((count) => count === 0))
  })

  test('SCRIPT FLUSH costs a renewed lock nothing', async (t) => {
    const { redlock, nodes } = await setUp(t)
    const lock = await redlock.acquire(uniqueKey(), 1200, { renew: true })
    for (let i = 0; i < 40; i++) {
      await onAll(nodes, 'SCRIPT', 'FLUSH')
      await sleep(50)
    }
    assert.equal(lock.isHeld, true)
    assert.equal(await lock.release(), 'released')
  })

  test('out of memory: what is held can still be extended and released', async (t) => {
    const { redlock, nodes, cluster } = await setUp(t)
    const key = uniqueKey()
    const lock = await redlock.acquire(key, 30_000)
    await onAll(nodes, 'CONFIG', 'SET', 'maxmemory', 1)
    await lock.extend(40_000)
    assert.ok(lock.remaining > 30_000)
    assert.equal(await lock.release(), 'released')
    await until(async () => (await cluster.holding(key)) === 0)
  })

  test('no right to PUBLISH does not make a release fail', async (t) => {
    const { redlock, nodes, cluster } = await setUp(t)
    await onAll(nodes, 'ACL', 'SETUSER', 'default', 'resetchannels', '-publish')
    const key = uniqueKey()
    const lock = await redlock.acquire(key, 30_000)
    assert.equal(await lock.release(), 'released')
    await until(async () => (await cluster.holding(key)) === 0)
    await works(redlock)
  })

  test('FLUSHALL under a held lock is a loss, not a crash', async (t) => {
    const { redlock, nodes } = await setUp(t)
    const lock = await redlock.acquire(uniqueKey(), 600, { renew: true })
    const { signal } = lock
    await onAll(nodes, 'FLUSHALL')
    await until(() => signal.aborted)
    assert.equal(signal.reason.code, 'ERR_LOCK_LOST')
    assert.equal(await lock.release(), 'expired')
    await works(redlock)
  })

  test('CLIENT KILL of every connection', async (t) => {
    const context = await setUp(t)
    const { redlock, nodes } = context
    const lock = await redlock.acquire(uniqueKey(), 2000, { renew: true })
    for (let i = 0; i < 8; i++) {
      await onAll(nodes, 'CLIENT', 'KILL', 'TYPE', 'normal')
      await sleep(400)
    }
    assert.equal(lock.isHeld, true)
    await everyNodeVotes(context)
    assert.equal(await lock.release(), 'released')
    await works(redlock)
  })
})

test('READONLY from a server that calls itself a primary: looked at again, but not all the time', async (t) => {
  const readOnly = "-READONLY You can't write against a read only replica.\r\n"
  const server = await ScriptedServer.start(t, ([command]) => (command === 'SET' ? readOnly : undefined))
  const redlock = open(t, server.url)
  const end = performance.now() + 2500
  while (performance.now() < end || server.connections < 3) {
    const error = await redlock.acquire(uniqueKey(), 5000, { wait: 0 }).catch((refusal) => refusal)
    assert.equal(error.code, 'ERR_QUORUM_UNAVAILABLE')
    assert.equal(error.votes[0].code, 'READONLY')
    await sleep(1)
  }
  // Pauses that double from 20 ms: some ten. Without them there would be hundreds.
  assert.ok(server.connections < 50, `${server.connections} connections`)
})
