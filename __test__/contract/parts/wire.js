'use strict'

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { allUp, open, uniqueKey } = require('../../support/quorlock')
const { until } = require('../../support/until')

// What other clients see: a key verbatim behind the prefix, a string of 32 lowercase hex characters, a ttl in ms.

module.exports = (backend) => {
  const everywhere = (check) => until(async () => (await Promise.all(backend.servers.map(check))).every(Boolean))

  test('the key, the value and its ttl', async (t) => {
    const redlock = await allUp(t, backend.nodes)
    const key = uniqueKey()
    const lock = await redlock.acquire(key, 5000)
    await everywhere(async (server) => (await server.command('GET', key)) === lock.id)
    for (const server of backend.servers) {
      assert.match(await server.command('GET', key), /^[0-9a-f]{32}$/)
      assert.equal(await server.command('TYPE', key), 'string')
      const ttl = await server.command('PTTL', key)
      assert.ok(ttl > 4000 && ttl <= 5000, String(ttl))
    }
  })

  test('keyPrefix', async (t) => {
    const key = uniqueKey()
    const prefixed = await allUp(t, backend.nodes, { keyPrefix: 'app:' })
    const plain = open(t, backend.nodes)
    const same = open(t, backend.nodes, { keyPrefix: 'app:' })
    const lock = await prefixed.acquire(key, 5000)
    assert.equal(lock.key, key)
    await everywhere(async (server) => (await server.command('GET', `app:${key}`)) === lock.id)
    assert.deepEqual(
      await Promise.all(backend.servers.map((server) => server.command('EXISTS', key))),
      backend.servers.map(() => 0),
    )
    assert.equal(await same.tryAcquire(key, 5000), null)
    const other = await plain.tryAcquire(key, 5000)
    assert.ok(other, 'another prefix is another lock')
    assert.equal(await plain.tryAcquire(`app:${key}`, 5000), null)
    assert.deepEqual(
      prefixed.locks().map((held) => held.key),
      [key],
    )
    assert.ok((await prefixed.inspect(key)).every((node) => node.id === lock.id))
  })

  test('several keys share one value', async (t) => {
    const redlock = await allUp(t, backend.nodes)
    const keys = [uniqueKey(), uniqueKey()]
    const lock = await redlock.acquire(keys, 5000)
    for (const key of keys) await everywhere(async (server) => (await server.command('GET', key)) === lock.id)
  })

  test('db', async (t) => {
    const key = uniqueKey()
    const inDb = (db) =>
      allUp(
        t,
        backend.servers.map((server) => `${server.url}/${db}`),
      )
    const lock = await (await inDb(3)).acquire(key, 5000)
    assert.ok(await (await inDb(0)).tryAcquire(key, 5000), 'another db is another lock')
    assert.equal(await (await inDb(3)).tryAcquire(key, 5000), null)
    const inDb3 = "redis.call('SELECT', 3) return redis.call('GET', KEYS[1])"
    await everywhere(async (server) => (await server.command('EVAL', inDb3, 1, key)) === lock.id)
  })

  test('a unix socket is another way to the same server', async (t) => {
    const key = uniqueKey()
    const overTcp = open(t, backend.nodes)
    const lock = await overTcp.acquire(key, 5000)
    for (const scheme of ['unix', 'redis+unix']) {
      const overSocket = open(
        t,
        backend.servers.map((server) => `${scheme}://${server.socket}`),
      )
      assert.equal(await overSocket.tryAcquire(key, 5000), null)
      const own = await overSocket.acquire(uniqueKey(), 5000)
      assert.equal(await own.release(), 'released')
    }
    assert.equal(await lock.release(), 'released')
  })

  test('clientName', async (t) => {
    const redlock = open(t, backend.nodes, { clientName: 'orders-7' })
    await redlock.connect()
    await everywhere(async (server) => (await server.command('CLIENT', 'LIST')).includes('name=orders-7'))
  })
}
