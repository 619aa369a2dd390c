'use strict'

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { open, uniqueKey, RedlockClosedError } = require('../../support/quorlock')
const { timed, until } = require('../../support/until')

module.exports = (backend) => {
  const isClosed = (error) => {
    assert.ok(error instanceof RedlockClosedError, String(error))
    assert.equal(error.code, 'ERR_REDLOCK_CLOSED')
    return true
  }

  test('refuses new calls', async (t) => {
    const redlock = open(t, backend.nodes)
    await redlock.close()
    const key = uniqueKey()
    for (const call of [
      () => redlock.acquire(key, 5000),
      () => redlock.tryAcquire(key, 5000),
      () => redlock.withLock(key, 5000, () => assert.fail('called')),
      () => redlock.connect(),
      () => redlock.inspect(key),
    ]) {
      isClosed((await timed(call)).error)
    }
    assert.ok(redlock.stats().nodes.every((node) => node.state === 'closed'))
    assert.deepEqual(redlock.locks(), [])
  })

  test('drain refuses new calls and ends the waiting; what is held stays held and renewed until close', async (t) => {
    const redlock = open(t, backend.nodes)
    const [held, taken] = [uniqueKey(), uniqueKey()]
    const other = open(t, backend.nodes)
    const theirs = await other.acquire(taken, 20_000)
    let finish
    let seen
    const section = redlock.withLock(held, 600, async (lock) => {
      seen = lock
      await new Promise((resolve) => (finish = resolve))
      return lock.isHeld
    })
    await until(() => finish)
    const waiting = timed(() => redlock.acquire(taken, 5000, { wait: 60_000 }))
    await until(() => redlock.stats().waiting === 1)

    assert.equal(redlock.drain(), undefined)
    isClosed((await waiting).error)
    const key = uniqueKey()
    for (const call of [
      () => redlock.acquire(key, 5000),
      () => redlock.tryAcquire(key, 5000),
      () => redlock.withLock(key, 5000, () => assert.fail('called')),
      () => redlock.createLock(key).tryAcquire(),
      () => redlock.connect(),
      () => redlock.inspect(key),
    ]) {
      isClosed((await timed(call)).error)
    }
    redlock.drain()
    const { extended } = redlock.stats()
    await until(() => redlock.stats().extended > extended + 3, { what: 'renewals after drain()' })
    await seen.extend(5000)
    assert.equal(seen.isHeld, true)
    assert.equal(redlock.locks().length, 1)
    assert.equal(await other.tryAcquire(held, 1000), null)

    const closing = redlock.close()
    assert.equal(seen.isHeld, true)
    finish()
    assert.equal(await section, true)
    await closing
    const next = await other.tryAcquire(held, 1000)
    assert.ok(next)
    await Promise.all([next.release(), theirs.release()])
  })

  test('after close, drain does nothing', async (t) => {
    const redlock = open(t, backend.nodes)
    await redlock.close()
    redlock.drain()
    isClosed((await timed(() => redlock.acquire(uniqueKey(), 5000))).error)
  })

  test('twice, and at once, is one close', async (t) => {
    const redlock = open(t, backend.nodes)
    await redlock.connect()
    await Promise.all([redlock.close(), redlock.close()])
    assert.equal(await redlock.close(), undefined)
  })

  test('before anything else happened', async () => {
    const { Redlock } = require('../../support/quorlock')
    const redlock = new Redlock({ nodes: backend.nodes })
    await redlock.close()
  })

  test('ends the waiting of waiters', async (t) => {
    const redlock = open(t, backend.nodes)
    const other = open(t, backend.nodes)
    const key = uniqueKey()
    const holder = await other.acquire(key, 20_000)
    const waiting = Promise.all([1, 2, 3].map(() => timed(() => redlock.acquire(key, 5000, { wait: 30_000 }))))
    await until(() => redlock.stats().waiting === 3)
    const closed = performance.now()
    await redlock.close()
    for (const { error } of await waiting) isClosed(error)
    assert.ok(performance.now() - closed < 2000)
    assert.equal(holder.isHeld, true)
  })

  test('lets a running section finish', async (t) => {
    const redlock = open(t, backend.nodes)
    const key = uniqueKey()
    let finish
    let heldAtTheEnd
    const section = redlock.withLock(key, 1000, async (lock) => {
      await new Promise((resolve) => (finish = resolve))
      heldAtTheEnd = lock.isHeld
      return 'done'
    })
    await until(() => finish)
    const closing = redlock.close()
    // Longer than the ttl: the renewal goes on while we wait for the section.
    await new Promise((resolve) => setTimeout(resolve, 1500))
    finish()
    assert.equal(await section, 'done')
    assert.equal(heldAtTheEnd, true)
    await closing
    assert.ok(await open(t, backend.nodes).tryAcquire(key, 1000))
  })

  test('does not wait longer than its timeout, and releases what is left', async (t) => {
    const redlock = open(t, backend.nodes)
    const key = uniqueKey()
    let finish
    let lost
    const section = redlock.withLock(key, 20_000, async (lock) => {
      lost = lock.signal
      await new Promise((resolve) => (finish = resolve))
      return 'outcome'
    })
    await until(() => finish)
    const { ms } = await timed(() => redlock.close({ timeout: 100 }))
    assert.ok(ms >= 80 && ms < 2000, `${ms} ms`)
    assert.equal(lost.aborted, true)
    const after = await open(t, backend.nodes).acquire(key, 1000, { wait: 10_000 })
    assert.equal(after.isHeld, true)
    finish()
    assert.equal(await section, 'outcome')
  })

  test('does not wait for handles that have expired', async (t) => {
    const redlock = open(t, backend.nodes)
    const lock = await redlock.acquire(uniqueKey(), 100)
    await until(() => !lock.isHeld && redlock.stats().held === 0)
    const { ms } = await timed(() => redlock.close({ timeout: 60_000 }))
    assert.ok(ms < 10_000, `${ms} ms`)
  })

  test('nor longer than until they expire', async (t) => {
    const redlock = open(t, backend.nodes)
    const lock = await redlock.acquire(uniqueKey(), 1000)
    const lost = []
    redlock.on('lost', ({ key, reason }) => lost.push({ key, reason }))
    const before = lock.remaining
    const { ms } = await timed(() => redlock.close({ timeout: 60_000 }))
    assert.ok(ms >= before - 1 && ms < 10_000, `${ms} ms, of which ${before} it was held`)
    assert.deepEqual(lost, [{ key: lock.key, reason: 'expired' }])
    assert.equal(await lock.release(), 'expired')
  })

  test('nor for those that were handed over, and expire in other hands', async (t) => {
    const redlock = open(t, backend.nodes)
    const key = uniqueKey()
    const first = await redlock.acquire(key, 1000)
    const waiting = redlock.acquire(key, 1000, { wait: 10_000 })
    await until(() => redlock.stats().waiting === 1)
    await first.release()
    const second = await waiting
    assert.equal(second.isHeld, true)
    const { ms } = await timed(() => redlock.close({ timeout: 60_000 }))
    assert.ok(ms < 10_000, `${ms} ms`)
  })

  test('lets a section finish that has lost its lock', async (t) => {
    const redlock = open(t, backend.nodes)
    let finish
    const given = redlock.withLock(
      uniqueKey(),
      100,
      async ({ signal }) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        await new Promise((resolve) => (finish = resolve))
      },
      { renew: false },
    )
    await until(() => finish)
    const order = []
    const closing = redlock.close({ timeout: 60_000 }).then(() => order.push('closed'))
    // A round trip to the nodes of another instance: this one would have given its lock back by then.
    const other = open(t, backend.nodes)
    for (let i = 0; i < 5; i += 1) await (await other.acquire(uniqueKey(), 1000)).release()
    order.push('finished')
    finish()
    await given
    await closing
    assert.deepEqual(order, ['finished', 'closed'])
  })

  test('releases locks that nobody released', async (t) => {
    const redlock = open(t, backend.nodes)
    const keys = [uniqueKey(), uniqueKey()]
    const locks = await Promise.all(keys.map((key) => redlock.acquire(key, 20_000)))
    await redlock.close({ timeout: 0 })
    for (const lock of locks) {
      assert.equal(lock.isHeld, false)
      assert.equal(lock.remaining, 0)
      await lock.release()
    }
    const other = open(t, backend.nodes)
    for (const key of keys) assert.ok(await other.acquire(key, 1000, { wait: 10_000 }))
  })

  test('closes one instance, not the others', async (t) => {
    const [one, other] = [open(t, backend.nodes), open(t, backend.nodes)]
    const lock = await other.acquire(uniqueKey(), 5000)
    await one.close()
    assert.equal(lock.isHeld, true)
    await lock.extend(6000)
    assert.equal(await lock.release(), 'released')
  })

  for (const timeout of [-1, '5', Number.NaN]) {
    test(`timeout ${timeout} is refused, and the instance lives on`, async (t) => {
      const redlock = open(t, backend.nodes)
      await assert.rejects(
        async () => redlock.close({ timeout }),
        (error) => error instanceof TypeError || error instanceof RangeError,
      )
      assert.ok(await redlock.acquire(uniqueKey(), 1000))
    })
  }
}
