'use strict'

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { open, keysLeft, uniqueKey } = require('../../support/quorlock')
const { until } = require('../../support/until')

module.exports = (backend) => {
  test("says 'released', and the same again", async (t) => {
    const redlock = open(t, backend.nodes)
    const lock = await redlock.acquire(uniqueKey(), 5000)
    assert.equal(await lock.release(), 'released')
    assert.equal(await lock.release(), 'released')
    assert.equal(lock.isHeld, false)
    assert.equal(lock.remaining, 0)
  })

  test('asked twice at once, answers twice the same', async (t) => {
    const redlock = open(t, backend.nodes)
    const lock = await redlock.acquire(uniqueKey(), 5000)
    assert.deepEqual(await Promise.all([lock.release(), lock.release(), lock[Symbol.asyncDispose]()]), [
      'released',
      'released',
      undefined,
    ])
  })

  test("says 'expired' when the time was over, and the same again", async (t) => {
    const redlock = open(t, backend.nodes)
    const lock = await redlock.acquire(uniqueKey(), 1000)
    await until(() => !lock.isHeld)
    // The nodes have a quarter of the ttl to answer.
    assert.equal(await lock.release(), 'expired')
    assert.equal(await lock.release(), 'expired')
  })

  test('leaves the lock of the successor alone', async (t) => {
    const redlock = open(t, backend.nodes)
    const key = uniqueKey()
    const lock = await redlock.acquire(key, 1000)
    const successor = await redlock.acquire(key, 5000, { wait: 10_000 })
    assert.equal(await lock.release(), 'expired')
    assert.equal(successor.isHeld, true)
    assert.equal(await redlock.tryAcquire(key, 5000), null)
    assert.equal(await successor.release(), 'released')
  })

  test('is no loss: neither the signal nor the event', async (t) => {
    const redlock = open(t, backend.nodes)
    const lost = []
    redlock.on('lost', (event) => lost.push(event))
    const lock = await redlock.acquire(uniqueKey(), 200, { renew: true })
    const { signal } = lock
    await lock.release()
    await new Promise((resolve) => setTimeout(resolve, 250))
    assert.equal(signal.aborted, false)
    assert.deepEqual(lost, [])
  })

  test('leaves nothing on the nodes', async (t) => {
    const redlock = open(t, backend.nodes)
    const key = uniqueKey()
    const lock = await redlock.acquire(key, 5000)
    await lock.release()
    await until(async () => (await redlock.inspect(key)).every((node) => !node.held && !node.error))
    for (const server of backend.servers ?? []) {
      assert.equal(await server.command('EXISTS', key), 0)
      assert.deepEqual(await keysLeft(server, `${key}:*`), [])
    }
  })
}
