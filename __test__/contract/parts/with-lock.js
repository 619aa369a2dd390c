'use strict'

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { AsyncLocalStorage } = require('node:async_hooks')
const { open, uniqueKey, LockContendedError, LockLostError } = require('../../support/quorlock')
const { outside } = require('../../support/context')
const { block, sleep } = require('../../support/until')

module.exports = (backend) => {
  test('resolves with what the function returned', async (t) => {
    const redlock = open(t, backend.nodes)
    const order = { id: 1 }
    assert.equal(await redlock.withLock(uniqueKey(), 5000, () => order), order)
    assert.equal(await redlock.withLock(uniqueKey(), 5000, async () => order), order)
    // biome-ignore lint/suspicious/noThenProperty: a thenable that is not a promise is what this is about
    assert.equal(await redlock.withLock(uniqueKey(), 5000, () => ({ then: (done) => done(order) })), order)
    assert.equal(await redlock.withLock(uniqueKey(), 5000, () => undefined), undefined)
  })

  test('rejects with the very object the function threw', async (t) => {
    const redlock = open(t, backend.nodes)
    const key = uniqueKey()
    const mine = new RangeError('mine')
    const thrown = [
      () => {
        throw mine
      },
      async () => {
        await sleep(1)
        throw mine
      },
      () => Promise.reject(mine),
    ]
    for (const fn of thrown) {
      const error = await redlock.withLock(key, 5000, fn).catch((reason) => reason)
      assert.equal(error, mine)
      const lock = await redlock.tryAcquire(key, 5000)
      assert.ok(lock, 'released after the error')
      await lock.release()
    }
  })

  test('holds while the function runs, and not longer', async (t) => {
    const redlock = open(t, backend.nodes)
    const other = open(t, backend.nodes)
    const key = uniqueKey()
    let inside
    await redlock.withLock(key, 5000, async (lock) => {
      inside = lock
      assert.equal(lock.key, key)
      assert.equal(lock.isHeld, true)
      assert.equal(await outside(() => other.tryAcquire(key, 5000)), null)
    })
    assert.equal(inside.isHeld, false)
    assert.equal(inside.remaining, 0)
    const after = await other.tryAcquire(key, 5000)
    assert.ok(after, 'free for the other')
  })

  test('does not call the function without the lock', async (t) => {
    const redlock = open(t, backend.nodes)
    const key = uniqueKey()
    await redlock.acquire(key, 5000)
    let called = false
    await assert.rejects(
      redlock.withLock(
        key,
        5000,
        () => {
          called = true
        },
        { wait: 0 },
      ),
      LockContendedError,
    )
    assert.equal(called, false)
  })

  test('the function may release by itself', async (t) => {
    const redlock = open(t, backend.nodes)
    const key = uniqueKey()
    const value = await redlock.withLock(key, 5000, async (lock) => {
      assert.equal(await lock.release(), 'released')
      const other = await redlock.acquire(uniqueKey(), 5000)
      await other.release()
      return 'done'
    })
    assert.equal(value, 'done')
  })

  test('AsyncLocalStorage survives', async (t) => {
    const redlock = open(t, backend.nodes)
    const storage = new AsyncLocalStorage()
    const key = uniqueKey()
    const seen = await Promise.all(
      [1, 2, 3].map((request) =>
        storage.run({ request }, async () => {
          const inside = await redlock.withLock(
            key,
            5000,
            async () => {
              const first = storage.getStore()
              await sleep(5)
              return [first, storage.getStore()]
            },
            { wait: 20_000 },
          )
          const lock = await redlock.acquire(`${key}:${request}`, 5000)
          return [...inside, storage.getStore(), await lock.release().then(() => storage.getStore())]
        }),
      ),
    )
    for (const [i, stores] of seen.entries()) assert.deepEqual(stores, Array(4).fill({ request: i + 1 }))
  })

  test('the function is called in a turn of its own, not inside withLock', async (t) => {
    const redlock = open(t, backend.nodes)
    let called = false
    const running = redlock.withLock(uniqueKey(), 5000, () => {
      called = true
    })
    assert.equal(called, false)
    await running
    assert.equal(called, true)
  })

  test('a lock given on by the dispose symbol is released', async (t) => {
    const redlock = open(t, backend.nodes)
    const key = uniqueKey()
    const lock = await redlock.acquire(key, 5000)
    await lock[Symbol.asyncDispose]()
    assert.equal(lock.isHeld, false)
    assert.ok(await redlock.tryAcquire(key, 5000))
  })

  for (const whenLost of ['resolve', 'reject']) {
    test(`a function that releases the lock itself, but too late: ${whenLost}`, async (t) => {
      const redlock = open(t, backend.nodes)
      const section = async (lock) => {
        block(600) // no word of the loss can come before the release
        assert.equal(await lock.release(), 'expired')
        return 'mine'
      }
      // The nodes have a quarter of the ttl to answer the release, and the other of the two may block meanwhile.
      const done = redlock.withLock(uniqueKey(), 400, section, { renew: false, whenLost })
      if (whenLost === 'resolve') assert.equal(await done, 'mine')
      else await assert.rejects(done, (error) => error instanceof LockLostError && error.result === 'mine')
    })
  }
}
