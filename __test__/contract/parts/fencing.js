'use strict'

// Tokens: one for each holder, larger than those of all before it.

const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const assert = require('node:assert/strict')
const { inspect } = require('node:util')
const { allUp, elsewhere, isFenced, open, uniqueKey } = require('../../support/quorlock')
const { until } = require('../../support/until')

const FENCED = { fencing: true }
const PLAIN = { fencing: false }
const WAIT = { wait: 30_000 }
const BLOCK = 64

module.exports = (backend) => {
  const onAll = (...words) => Promise.all(backend.servers.map((server) => server.command(...words)))
  const fencesOf = (key) => onAll('GET', `${key}:quorlock:fence`)

  test('the other parts have fencing where the whole suite is to have it', async (t) => {
    const lock = await open(t, backend.nodes).acquire(uniqueKey(), 5000, WAIT)
    assert.equal('token' in lock, isFenced)
    await lock.release()
  })

  test('without fencing there is no token', async (t) => {
    const lock = await open(t, backend.nodes, PLAIN).acquire(uniqueKey(), 5000, WAIT)
    assert.equal('token' in lock, false)
    await lock.release()
  })

  test('each later holder has a larger token, whichever service it uses', async (t) => {
    const services = await Promise.all([
      allUp(t, backend.nodes, FENCED),
      allUp(t, backend.nodes, { ...FENCED, ...elsewhere }),
    ])
    const key = uniqueKey()
    let last = 0
    for (let i = 0; i < 20; i++) {
      const lock = await services[i % 2].acquire(key, 5000, WAIT)
      assert.ok(Number.isSafeInteger(lock.token) && lock.token > last, `${lock.token} after ${last}`)
      assert.match(inspect(lock), new RegExp(`^FencedLock .*token: ${lock.token}`, 's'))
      last = lock.token
      await lock.release()
    }
  })

  test('a reusable lock has the token of what it holds', async (t) => {
    const redlock = await allUp(t, backend.nodes, FENCED)
    const lock = redlock.createLock(uniqueKey())
    assert.equal(lock.token, undefined)
    assert.equal(await lock.tryAcquire(30_000), true)
    const first = lock.token
    assert.ok(Number.isSafeInteger(first) && first > 0, `${first}`)
    await lock.release()
    assert.equal(lock.token, undefined)
    assert.equal(await lock.tryAcquire(30_000), true)
    assert.ok(lock.token > first)
    await lock.release()
    assert.equal('token' in (await allUp(t, backend.nodes, PLAIN)).createLock(uniqueKey()), false)
  })

  test('holders to whom a lock is handed over have tokens in their order, beyond one block too', async (t) => {
    const redlock = await allUp(t, backend.nodes, FENCED)
    const key = uniqueKey()
    const tokens = []
    const section = (lock) => tokens.push(lock.token)
    await Promise.all(Array.from({ length: 3 * BLOCK }, () => redlock.withLock(key, 5000, section, WAIT)))
    assert.equal(tokens.length, 3 * BLOCK)
    assert.deepEqual(
      tokens,
      tokens.toSorted((a, b) => a - b),
    )
    assert.equal(new Set(tokens).size, tokens.length)
  })

  test('many different keys at once are all granted', async (t) => {
    const redlock = await allUp(t, backend.nodes, FENCED)
    const name = uniqueKey()
    const asked = Array.from({ length: 500 }, (_, i) => redlock.tryAcquire(`${name}:${i}`, 20_000))
    const locks = await Promise.all(asked)
    assert.ok(locks.every((lock) => lock !== null && lock.attempts === 1))
    await Promise.all(locks.map((lock) => lock.release()))
  })

  test('one token for several keys, beyond the earlier ones of each', async (t) => {
    const redlock = await allUp(t, backend.nodes, FENCED)
    const [a, b] = [uniqueKey(), uniqueKey()]
    const first = await redlock.acquire(a, 5000, WAIT)
    await first.release()
    const both = await redlock.acquire([a, b], 5000, WAIT)
    assert.ok(both.token > first.token)
    await both.release()
    const last = await redlock.acquire(b, 5000, WAIT)
    assert.ok(last.token > both.token)
    await last.release()
  })

  test('with and without fencing exclude each other', async (t) => {
    const fenced = await allUp(t, backend.nodes, FENCED)
    const plain = await allUp(t, backend.nodes, PLAIN)
    const key = uniqueKey()
    for (const [holder, other] of [
      [fenced, plain],
      [plain, fenced],
    ]) {
      const lock = await holder.acquire(key, 5000, WAIT)
      assert.equal(await other.tryAcquire(key, 5000), null)
      await lock.release()
      const next = await other.acquire(key, 5000, WAIT)
      await next.release()
    }
  })

  test('renewed and extended it keeps its token', async (t) => {
    const redlock = await allUp(t, backend.nodes, FENCED)
    const lock = await redlock.acquire(uniqueKey(), 300, { ...WAIT, renew: true })
    const { token } = lock
    await until(() => redlock.stats().extended >= 3)
    await lock.extend(5000)
    assert.equal(lock.token, token)
    assert.ok(lock.remaining > 4000)
    assert.equal(await lock.release(), 'released')
  })

  if (!backend.servers) return

  test('the fence is on the nodes, at the last token of the block, and expires', async (t) => {
    const redlock = await allUp(t, backend.nodes, FENCED)
    const key = uniqueKey()
    const lock = await redlock.acquire(key, 5000, WAIT)
    const last = String(lock.token + BLOCK - 1)
    await until(async () => (await fencesOf(key)).every((fence) => fence === last))
    await lock.release()
    for (const ttl of await onAll('PTTL', `${key}:quorlock:fence`)) {
      assert.ok(ttl > 3_500_000 && ttl < 3_700_000, String(ttl))
    }
    await until(async () => (await onAll('EXISTS', key)).every((exists) => exists === 0))
  })

  test('a token of another client that is ahead is passed', async (t) => {
    const redlock = await allUp(t, backend.nodes, FENCED)
    const key = uniqueKey()
    const ahead = (Date.now() + 60_000) * 1000
    await onAll('SET', `${key}:quorlock:fence`, String(ahead), 'PX', 60_000)
    const lock = await redlock.acquire(key, 5000, WAIT)
    assert.ok(lock.token > ahead)
    assert.equal(lock.attempts, 1)
    await lock.release()
  })

  test('what is no lock is refused and left alone', async (t) => {
    const redlock = await allUp(t, backend.nodes, FENCED)
    const key = uniqueKey()
    await onAll('LPUSH', key, 'x')
    assert.equal(await redlock.tryAcquire(key, 5000), null)
    assert.deepEqual(
      await onAll('LLEN', key),
      backend.servers.map(() => 1),
    )
    await onAll('DEL', key)
  })

  test('the scripts, asked directly: what they take, what they refuse, and what they leave alone', async () => {
    const [server] = backend.servers
    const folder = path.join(__dirname, '..', '..', '..', 'src', 'node', 'redis', 'scripts')
    const key = uniqueKey()
    const fence = `${key}:quorlock:fence`
    const call = (name, ...words) =>
      server.command('EVAL', fs.readFileSync(path.join(folder, `${name}_fenced.lua`), 'utf8'), 2, key, fence, ...words)
    const expiry = (token) => Math.floor(token / 1000) + 3_600_000
    const acquire = async (id, first) => {
      const [answer] = await call('acquire', 63, expiry(first), id, 5000, first + 63)
      return typeof answer === 'string' ? Number(answer) : answer
    }
    const release = (id, last, granted = last) => call('release', last - granted, expiry(last), id, last)
    const now = Date.now() * 1000
    const hour = 3_600_000_000
    for (const first of [now - hour, now + hour]) {
      const clock = -(await acquire('a', first))
      assert.ok(Math.abs(clock - now) < 60_000_000, 'it tells its own time')
    }
    assert.equal(await acquire('a', now), 1)
    assert.equal(await acquire('a', now), now + 63, 'the same again is outbid: the key says nothing of when it was set')
    assert.equal(await acquire('b', now + 1000), 0)
    await release('b', now + hour)
    assert.equal(await server.command('GET', fence), String(now + 63), 'far ahead of the time it is not raised')
    await release('b', now + hour, now + 300)
    assert.equal(await server.command('GET', fence), String(now + 300), 'but to what was granted')
    await release('b', now + 500)
    assert.equal(await server.command('GET', fence), String(now + 500))
    assert.equal(await server.command('GET', key), 'a')
    await release('a', now + 63)
    assert.equal(await server.command('EXISTS', key), 0)
    assert.equal(await acquire('a', now + 500), now + 500, 'outbid')
    assert.equal(await acquire('a', now + 501), 1)
    assert.deepEqual(await call('extend', 63, expiry(now), 'a', 9000, now + 700), [1])
    assert.equal(await server.command('GET', fence), String(now + 700))
    assert.deepEqual(await call('extend', 63, expiry(now), 'b', 9000, now + 900), [0])
    assert.equal(await server.command('GET', fence), String(now + 700))
    await server.command('DEL', key)
  })
}
