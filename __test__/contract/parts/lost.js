'use strict'

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { allUp, open, uniqueKey, LockLostError, isLockError } = require('../../support/quorlock')
const { sleep, until } = require('../../support/until')

module.exports = (backend) => {
  const onAll = (...words) => Promise.all(backend.servers.map((server) => server.command(...words)))

  function lossesOf(redlock) {
    const lost = []
    redlock.on('lost', (event) => lost.push(event))
    return lost
  }

  for (const [what, take] of [
    ['deleted', (key) => onAll('DEL', key)],
    ["another's", (key) => onAll('SET', key, 'f'.repeat(32), 'PX', 60_000)],
    ['of another type', (key) => onAll('EVAL', "redis.call('DEL', KEYS[1]) redis.call('LPUSH', KEYS[1], 'x')", 1, key)],
  ]) {
    test(`the key is ${what}: the holder hears of it once`, async (t) => {
      const redlock = open(t, backend.nodes)
      const lost = lossesOf(redlock)
      const key = uniqueKey()
      const lock = await redlock.acquire(key, 1000, { renew: true })
      const { signal } = lock
      await take(key)
      await until(() => signal.aborted)
      assert.ok(signal.reason instanceof LockLostError)
      assert.ok(isLockError(signal.reason))
      assert.equal(signal.reason.code, 'ERR_LOCK_LOST')
      assert.equal(signal.reason.key, key)
      assert.equal(lock.isHeld, false)
      assert.equal(lock.remaining, 0)
      await assert.rejects(lock.extend(5000), LockLostError)
      assert.equal(await lock.release(), 'expired')
      await sleep(100)
      assert.equal(lost.length, 1)
      assert.equal(lost[0].key, key)
      assert.equal(lost[0].id, lock.id)
      assert.equal(typeof lost[0].reason, 'string')
      assert.equal(redlock.stats().lost, 1)
      await onAll('DEL', key)
    })
  }

  test('what another has put there is left alone', async (t) => {
    const redlock = open(t, backend.nodes)
    const key = uniqueKey()
    const lock = await redlock.acquire(key, 600, { renew: true })
    await onAll('SET', key, 'f'.repeat(32), 'PX', 60_000)
    await until(() => !lock.isHeld)
    await lock.release()
    assert.deepEqual(
      await onAll('GET', key),
      backend.servers.map(() => 'f'.repeat(32)),
    )
  })

  test('the outcome of withLock passes', async (t) => {
    const redlock = open(t, backend.nodes)
    const lost = lossesOf(redlock)
    const key = uniqueKey()
    const value = await redlock.withLock(key, 600, async (lock) => {
      await onAll('DEL', key)
      await until(() => lock.signal.aborted)
      return 'outcome'
    })
    assert.equal(value, 'outcome')
    assert.deepEqual(
      lost.map((event) => event.key),
      [key],
    )
  })

  test('a signal asked for late is aborted already', async (t) => {
    const redlock = open(t, backend.nodes)
    const key = uniqueKey()
    const lock = await redlock.acquire(key, 600, { renew: true })
    await onAll('DEL', key)
    await until(() => !lock.isHeld)
    const { signal } = lock
    assert.equal(signal.aborted, true)
    assert.ok(signal.reason instanceof LockLostError)
    assert.equal(lock.signal, signal)
  })

  test('extend notices, and says who is to blame', async (t) => {
    const redlock = open(t, backend.nodes)
    const lost = lossesOf(redlock)
    const key = uniqueKey()
    const lock = await redlock.acquire(key, 20_000)
    await onAll('DEL', key)
    await assert.rejects(lock.extend(20_000), LockLostError)
    assert.equal(lock.isHeld, false)
    await until(() => lost.length === 1)
  })

  test('once, off', async (t) => {
    const redlock = open(t, backend.nodes)
    const seen = []
    const removed = () => seen.push('removed')
    redlock.on('lost', removed)
    redlock.off('lost', removed)
    redlock.once('lost', () => seen.push('once'))
    for (let i = 0; i < 2; i++) {
      const lock = await redlock.acquire(uniqueKey(), 20)
      await until(() => !lock.isHeld && redlock.stats().lost === i + 1)
    }
    await until(() => seen.length > 0)
    assert.deepEqual(seen, ['once'])
  })

  if (backend.count < 3) return

  test('a node of three that lost the key costs nothing', async (t) => {
    const redlock = await allUp(t, backend.nodes)
    const key = uniqueKey()
    const lock = await redlock.acquire(key, 1000, { renew: true })
    await until(async () => (await backend.servers[2].command('EXISTS', key)) === 1)
    await backend.servers[0].command('DEL', key)
    await sleep(2500)
    assert.equal(lock.isHeld, true)
    assert.equal(await lock.release(), 'released')
  })
}
