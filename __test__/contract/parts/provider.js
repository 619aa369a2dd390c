'use strict'

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { open, uniqueKey } = require('../../support/quorlock')
const { timed, until } = require('../../support/until')

module.exports = (backend) => {
  test('a lock to take, give back and take again', async (t) => {
    const redlock = open(t, backend.nodes)
    const resource = uniqueKey()
    const lock = redlock.createLock(resource)
    assert.equal(lock.resource, resource)
    assert.equal(lock.isHeld, false)
    for (let i = 0; i < 3; i++) {
      assert.equal(await lock.tryAcquire(), true)
      assert.equal(lock.isHeld, true)
      assert.equal(await redlock.tryAcquire(resource, 1000), null)
      assert.equal(await lock.release(), undefined)
      assert.equal(lock.isHeld, false)
    }
    assert.ok(await redlock.tryAcquire(resource, 1000))
  })

  test('false when another holds it', async (t) => {
    const redlock = open(t, backend.nodes)
    const resource = uniqueKey()
    const [one, other] = [redlock.createLock(resource), redlock.createLock(resource)]
    assert.equal(await one.tryAcquire(), true)
    assert.equal(await other.tryAcquire(), false)
    assert.equal(other.isHeld, false)
    await one.release()
    assert.equal(await other.tryAcquire(), true)
    assert.equal(one.isHeld, false)
  })

  test('waits for as long as it is told', async (t) => {
    const redlock = open(t, backend.nodes)
    const resource = uniqueKey()
    const [one, other] = [redlock.createLock(resource), redlock.createLock(resource)]
    await one.tryAcquire()
    const refused = await timed(() => other.tryAcquire(200))
    assert.equal(refused.value, false)
    assert.ok(refused.ms >= 150 && refused.ms < 2000, `${refused.ms} ms`)
    const waiting = other.tryAcquire(20_000)
    await until(() => redlock.stats().waiting === 1)
    await one.release()
    assert.equal(await waiting, true)
  })

  test('a signal ends the wait', async (t) => {
    const redlock = open(t, backend.nodes)
    const resource = uniqueKey()
    await redlock.acquire(resource, 20_000)
    const reason = new Error('enough')
    const controller = new AbortController()
    const waiting = timed(() => redlock.createLock(resource).tryAcquire(20_000, { signal: controller.signal }))
    await until(() => redlock.stats().waiting === 1)
    controller.abort(reason)
    assert.equal((await waiting).error, reason)
  })

  test('extend says whether it could', async (t) => {
    const redlock = open(t, backend.nodes, { defaultTtl: 1000 })
    const lock = redlock.createLock(uniqueKey())
    assert.equal(await lock.extend(), false)
    await lock.tryAcquire()
    assert.equal(await lock.extend(20_000), true)
    assert.equal(await lock.extend(), true)
    await lock.release()
    assert.equal(await lock.extend(), false)
    assert.equal(lock.isHeld, false)
  })

  test('release without a lock is no error', async (t) => {
    const redlock = open(t, backend.nodes)
    const lock = redlock.createLock(uniqueKey())
    await lock.release()
    await lock.tryAcquire()
    await lock.release()
    await lock.release()
  })

  test('the dispose symbol releases', async (t) => {
    const redlock = open(t, backend.nodes)
    const resource = uniqueKey()
    const lock = redlock.createLock(resource)
    await lock.tryAcquire()
    await lock[Symbol.asyncDispose]()
    assert.equal(lock.isHeld, false)
    assert.ok(await redlock.tryAcquire(resource, 1000))
  })

  for (const resource of ['', 7, undefined, 'a:quorlock:b']) {
    test(`${JSON.stringify(resource)} is no resource`, (t) => {
      const redlock = open(t, backend.nodes)
      assert.throws(
        () => redlock.createLock(resource),
        (error) => error instanceof TypeError || error instanceof RangeError,
      )
    })
  }
}
