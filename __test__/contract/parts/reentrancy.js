'use strict'

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { currentLock, open, uniqueKey, LockContendedError } = require('../../support/quorlock')
const { sleep, timed, until } = require('../../support/until')

module.exports = (backend) => {
  const isReentrant = ({ error, ms }) => {
    assert.ok(error instanceof LockContendedError, String(error))
    assert.equal(error.reentrant, true)
    assert.match(error.message, /already|same|itself/)
    assert.ok(ms < 3000, `it took ${ms} ms to notice`)
  }

  test('asking for the key one holds is refused at once', async (t) => {
    const redlock = open(t, backend.nodes)
    const key = uniqueKey()
    await redlock.withLock(key, 5000, async (lock) => {
      isReentrant(await timed(() => redlock.withLock(key, 5000, () => {}, { wait: 30_000 })))
      isReentrant(await timed(() => redlock.acquire(key, 5000, { wait: 30_000 })))
      assert.equal(lock.isHeld, true)
    })
  })

  test('currentLock is the innermost lock of the context, until it is given back', async (t) => {
    const redlock = open(t, backend.nodes)
    const other = open(t, backend.nodes)
    assert.equal(currentLock(), undefined)
    let later
    await redlock.withLock(uniqueKey(), 5000, async (outer) => {
      assert.equal(currentLock(), outer)
      await other.withLock(uniqueKey(), 5000, async (inner) => {
        await sleep(1)
        assert.equal(currentLock(), inner)
        await inner.release()
        assert.equal(currentLock(), outer)
      })
      await sleep(1)
      assert.equal(currentLock(), outer)
      later = until(() => outer.isHeld === false).then(() => currentLock())
    })
    assert.equal(await later, undefined)
    assert.equal(currentLock(), undefined)
    const sideBySide = [uniqueKey(), uniqueKey()].map((key) =>
      redlock.withLock(key, 5000, async (lock) => {
        await sleep(1)
        return currentLock() === lock
      }),
    )
    assert.deepEqual(await Promise.all(sideBySide), [true, true])
  })

  test('currentLock is given when it is lost, too, since its signal tells', async (t) => {
    const redlock = open(t, backend.nodes)
    await redlock.withLock(
      uniqueKey(),
      100,
      async (lock) => {
        await until(() => lock.signal.aborted)
        assert.equal(currentLock(), lock)
      },
      { renew: false },
    )
  })

  test('also deeper in the call, and among several keys', async (t) => {
    const redlock = open(t, backend.nodes)
    const [a, b, c] = [uniqueKey(), uniqueKey(), uniqueKey()]
    await redlock.withLock([a, b], 5000, async () => {
      await sleep(1)
      await redlock.withLock(c, 5000, async () => {
        isReentrant(await timed(() => redlock.acquire(a, 5000, { wait: 30_000 })))
        isReentrant(await timed(() => redlock.acquire([uniqueKey(), b], 5000, { wait: 30_000 })))
        isReentrant(await timed(() => redlock.acquire(c, 5000, { wait: 30_000 })))
      })
      const again = await redlock.acquire(c, 5000)
      await again.release()
    })
  })

  test('another key is no deadlock', async (t) => {
    const redlock = open(t, backend.nodes)
    const value = await redlock.withLock(uniqueKey(), 5000, () => redlock.withLock(uniqueKey(), 5000, () => 'inner'))
    assert.equal(value, 'inner')
  })

  test('another context waits for its turn', async (t) => {
    const redlock = open(t, backend.nodes)
    const key = uniqueKey()
    let end
    const first = redlock.withLock(key, 5000, () => new Promise((resolve) => (end = resolve)))
    await until(() => end)
    const second = redlock.withLock(key, 5000, () => 'second', { wait: 30_000 })
    await until(() => redlock.stats().waiting === 1)
    end()
    await first
    assert.equal(await second, 'second')
  })

  test('work that outlives its section may ask for the key', async (t) => {
    const redlock = open(t, backend.nodes)
    const key = uniqueKey()
    let later
    await redlock.withLock(key, 5000, (lock) => {
      later = until(() => !lock.isHeld).then(() => redlock.acquire(key, 5000, { wait: 30_000 }))
    })
    assert.equal((await later).isHeld, true)
  })

  test('a lock the function released is no longer held by it', async (t) => {
    const redlock = open(t, backend.nodes)
    const key = uniqueKey()
    await redlock.withLock(key, 5000, async (lock) => {
      await lock.release()
      const again = await redlock.acquire(key, 5000, { wait: 5000 })
      await again.release()
    })
  })

  test('an ordinary refusal is not called reentrant', async (t) => {
    const redlock = open(t, backend.nodes)
    const key = uniqueKey()
    await redlock.acquire(key, 5000)
    const { error } = await timed(() => redlock.acquire(key, 5000, { wait: 0 }))
    assert.notEqual(error.reentrant, true)
  })
}
