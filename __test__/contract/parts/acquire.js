'use strict'

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { open, uniqueKey, LockError, LockContendedError, isLockError } = require('../../support/quorlock')
const { until } = require('../../support/until')

module.exports = (backend) => {
  test('a lock says what it is', async (t) => {
    const redlock = open(t, backend.nodes)
    const key = uniqueKey()
    const lock = await redlock.acquire(key, 5000)
    assert.equal(lock.key, key)
    assert.match(lock.id, /^[0-9a-f]{32}$/)
    assert.equal(lock.ttl, 5000)
    assert.equal(lock.attempts, 1)
    assert.equal(lock.isHeld, true)
    assert.ok(lock.remaining > 4000 && lock.remaining <= 5000, String(lock.remaining))
    const granted = lock.votes.filter((vote) => vote.vote === 'granted')
    assert.ok(granted.length > backend.count / 2, JSON.stringify(lock.votes))
    assert.ok(granted.every((vote) => typeof vote.node === 'string' && vote.node.length > 0))
    assert.equal(lock.signal.aborted, false)
  })

  test('remaining falls with time', async (t) => {
    const redlock = open(t, backend.nodes)
    const lock = await redlock.acquire(uniqueKey(), 5000)
    const first = lock.remaining
    await until(() => lock.remaining < first - 20)
    assert.equal(lock.isHeld, true)
  })

  test('ids are never the same', async (t) => {
    const redlock = open(t, backend.nodes)
    const key = uniqueKey()
    const ids = new Set()
    for (let i = 0; i < 20; i++) {
      const lock = await redlock.acquire(key, 5000)
      ids.add(lock.id)
      await lock.release()
    }
    assert.equal(ids.size, 20)
  })

  test('a held key is refused, with everything an error says', async (t) => {
    const redlock = open(t, backend.nodes)
    const key = uniqueKey()
    const lock = await redlock.acquire(key, 5000)
    const error = await redlock.acquire(key, 5000, { wait: 0 }).then(
      () => assert.fail('two holders'),
      (reason) => reason,
    )
    assert.ok(error instanceof LockContendedError)
    assert.ok(error instanceof LockError)
    assert.ok(error instanceof Error)
    assert.ok(isLockError(error))
    assert.equal(error.code, 'ERR_LOCK_CONTENDED')
    assert.equal(error.name, 'LockContendedError')
    assert.equal(error.key, key)
    assert.equal(error.attempts, 1)
    assert.ok(error.retryAfter > 0 && error.retryAfter <= 5000, String(error.retryAfter))
    assert.ok(error.votes.filter((vote) => vote.vote === 'refused').length > backend.count / 2)
    assert.ok(error.message.includes(key), error.message)
    assert.match(error.message, /refused|held/)
    assert.equal(lock.isHeld, true)
  })

  test('a released key is free', async (t) => {
    const redlock = open(t, backend.nodes)
    const key = uniqueKey()
    const first = await redlock.acquire(key, 5000)
    await first.release()
    const second = await redlock.acquire(key, 5000, { wait: 0 })
    assert.notEqual(second.id, first.id)
    assert.equal(first.isHeld, false)
    assert.equal(second.isHeld, true)
  })

  test('an expired key is free', async (t) => {
    const redlock = open(t, backend.nodes)
    const key = uniqueKey()
    const first = await redlock.acquire(key, 100)
    const second = await redlock.acquire(key, 5000, { wait: 10_000 })
    assert.equal(first.isHeld, false)
    assert.equal(first.remaining, 0)
    assert.equal(second.isHeld, true)
  })

  test('two instances exclude each other', async (t) => {
    const one = open(t, backend.nodes)
    const other = open(t, backend.nodes)
    const key = uniqueKey()
    const lock = await one.acquire(key, 5000)
    await assert.rejects(other.acquire(key, 5000, { wait: 0 }), LockContendedError)
    assert.equal(await other.tryAcquire(key, 5000), null)
    await lock.release()
    const after = await other.acquire(key, 5000)
    assert.equal(await one.tryAcquire(key, 5000), null)
    await after.release()
  })

  test('different keys do not exclude each other', async (t) => {
    const redlock = open(t, backend.nodes)
    const base = uniqueKey()
    const locks = await Promise.all([base, `${base}a`, `${base}A`, `${base} `].map((key) => redlock.acquire(key, 5000)))
    assert.ok(locks.every((lock) => lock.isHeld))
  })

  test('tryAcquire gives a lock, or null', async (t) => {
    const redlock = open(t, backend.nodes)
    const key = uniqueKey()
    const lock = await redlock.tryAcquire(key, 5000)
    assert.equal(lock.isHeld, true)
    assert.equal(await redlock.tryAcquire(key, 5000), null)
    assert.equal(await lock.release(), 'released')
    const again = await redlock.tryAcquire(key, 5000)
    assert.equal(again.isHeld, true)
  })

  for (const [what, key] of [
    ['512 bytes', () => 'ü'.repeat(200) + uniqueKey().padEnd(112, '.')],
    ['spaces and line ends', () => `a b\r\nc\t${uniqueKey()}`],
    ['braces and a null character', () => `{a}\0${uniqueKey()}`],
    ['characters outside the basic plane', () => `🔒${uniqueKey()}`],
  ]) {
    test(`a key of ${what} is taken as it is`, async (t) => {
      const redlock = open(t, backend.nodes)
      const name = key()
      const lock = await redlock.acquire(name, 5000)
      assert.equal(lock.key, name)
      assert.equal(await redlock.tryAcquire(name, 5000), null)
      // Every server in its turn: the grant was decided by a quorum of them.
      for (const server of backend.servers ?? [])
        await until(async () => (await server.command('GET', name)) === lock.id)
      assert.equal(await lock.release(), 'released')
    })
  }

  test('the smallest and the largest ttl', async (t) => {
    const redlock = open(t, backend.nodes, { maxTtl: 120_000 })
    const short = await redlock.acquire(uniqueKey(), 10)
    assert.equal(short.ttl, 10)
    const long = await redlock.acquire(uniqueKey(), 120_000)
    assert.ok(long.remaining > 100_000)
  })

  test('the stack of an error names the caller', async (t) => {
    const redlock = open(t, backend.nodes)
    const key = uniqueKey()
    await redlock.acquire(key, 5000)
    async function placeOrder() {
      return await redlock.acquire(key, 5000, { wait: 0 })
    }
    await assert.rejects(placeOrder(), (error) => error.stack.includes('placeOrder'))
  })
}
