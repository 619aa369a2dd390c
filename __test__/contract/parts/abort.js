'use strict'

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { getEventListeners } = require('node:events')
const { open, uniqueKey } = require('../../support/quorlock')
const { sleep, timed, until } = require('../../support/until')

module.exports = (backend) => {
  class Cancelled extends Error {}

  test('aborted before: rejects with the reason, nothing is taken', async (t) => {
    const redlock = open(t, backend.nodes)
    const key = uniqueKey()
    const reason = new Cancelled()
    const signal = AbortSignal.abort(reason)
    let called = false
    const calls = [
      () => redlock.acquire(key, 5000, { signal }),
      () => redlock.tryAcquire(key, 5000, { signal }),
      () => redlock.withLock(key, 5000, () => (called = true), { signal }),
      () => redlock.connect({ signal }),
    ]
    for (const call of calls) assert.equal((await timed(call)).error, reason)
    assert.equal(called, false)
    const lock = await redlock.tryAcquire(key, 5000)
    assert.ok(lock, 'the key is free')
  })

  test('aborted while waiting: rejects at once with the reason, and the wait is over', async (t) => {
    const redlock = open(t, backend.nodes)
    const key = uniqueKey()
    const holder = await redlock.acquire(key, 20_000)
    const controller = new AbortController()
    const reason = new Cancelled()
    const waiting = timed(() => redlock.acquire(key, 5000, { wait: 30_000, signal: controller.signal }))
    await until(() => redlock.stats().waiting === 1)
    await sleep(60)
    const aborted = performance.now()
    controller.abort(reason)
    const { error } = await waiting
    assert.equal(error, reason)
    assert.ok(performance.now() - aborted < 500)
    assert.equal(redlock.stats().waiting, 0)
    assert.equal(redlock.stats().aborted, 1)
    await holder.release()
    await sleep(100)
    const after = await redlock.tryAcquire(key, 5000)
    assert.ok(after, 'nobody took the key in its place')
  })

  test('aborted in the turn of the call: nothing stays behind', async (t) => {
    const redlock = open(t, backend.nodes)
    await redlock.connect()
    for (let i = 0; i < 20; i++) {
      const key = uniqueKey()
      const controller = new AbortController()
      const asking = timed(() => redlock.acquire(key, 20_000, { signal: controller.signal }))
      if (i % 4) await sleep(0)
      if (i % 2) await Promise.resolve()
      controller.abort(new Cancelled())
      const { error, value } = await asking
      if (value) await value.release()
      else assert.ok(error instanceof Cancelled, String(error))
      await until(async () => {
        const lock = await redlock.tryAcquire(key, 1000)
        await lock?.release()
        return lock
      })
    }
  })

  test('aborted after the grant: the lock stays', async (t) => {
    const redlock = open(t, backend.nodes)
    const controller = new AbortController()
    const lock = await redlock.acquire(uniqueKey(), 5000, { signal: controller.signal })
    controller.abort(new Cancelled())
    await sleep(20)
    assert.equal(lock.isHeld, true)
    assert.equal(lock.signal.aborted, false)
    assert.equal(await lock.release(), 'released')
  })

  test('aborted while the function of withLock runs: it is not disturbed', async (t) => {
    const redlock = open(t, backend.nodes)
    const controller = new AbortController()
    const value = await redlock.withLock(
      uniqueKey(),
      5000,
      async (lock) => {
        controller.abort(new Cancelled())
        await sleep(20)
        return lock.isHeld
      },
      { signal: controller.signal },
    )
    assert.equal(value, true)
  })

  test('AbortSignal.timeout', async (t) => {
    const redlock = open(t, backend.nodes)
    const key = uniqueKey()
    await redlock.acquire(key, 20_000)
    const { error, ms } = await timed(() =>
      redlock.acquire(key, 5000, { wait: 30_000, signal: AbortSignal.timeout(100) }),
    )
    assert.equal(error.name, 'TimeoutError')
    assert.ok(ms < 3000, `${ms} ms`)
  })

  test('any reason passes as it is', async (t) => {
    const redlock = open(t, backend.nodes)
    for (const reason of ['a string', null, 7]) {
      const outcome = await redlock.acquire(uniqueKey(), 5000, { signal: AbortSignal.abort(reason) }).then(
        () => assert.fail('it was aborted'),
        (error) => ({ error }),
      )
      assert.equal(outcome.error, reason)
    }
  })

  test('no listener stays on a signal that lives long', async (t) => {
    const redlock = open(t, backend.nodes)
    const { signal } = new AbortController()
    const key = uniqueKey()
    const lock = await redlock.acquire(key, 5000, { signal })
    await timed(() => redlock.acquire(key, 5000, { signal, wait: 0 }))
    await redlock.tryAcquire(key, 5000, { signal })
    await lock.release()
    await redlock.withLock(key, 5000, () => {}, { signal })
    assert.deepEqual(getEventListeners(signal, 'abort'), [])
  })

  for (const signal of [{}, 'signal', null, new AbortController()]) {
    test(`${signal?.constructor?.name ?? signal} is no signal`, async (t) => {
      const redlock = open(t, backend.nodes)
      await assert.rejects(async () => redlock.acquire(uniqueKey(), 5000, { signal }), TypeError)
    })
  }
}
