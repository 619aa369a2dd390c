'use strict'

// What a fallback gives is a lock in every respect: whichever fallback it is, the same promises hold.

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { cutOff, onlyInterface } = require('./away')
const { usePostgres, openProvider } = require('./postgres')
const { outside } = require('../support/context')
const {
  currentLock,
  open,
  uniqueKey,
  LockContendedError,
  LockLostError,
  RedlockClosedError,
} = require('../support/quorlock')
const { until, within } = require('../support/until')

const pg = usePostgres()

const memory = (t) => open(t, `memory:${uniqueKey()}`)

const fallbacks = {
  "'local'": () => 'local',
  'another Redlock': memory,
  'an object with createLock and withLock': (t) => onlyInterface(memory(t)),
  'Postgres, session': (t) => openProvider(t, pg.url).provider,
  'Postgres, transaction': (t) => openProvider(t, pg.url, { mode: 'transaction' }).provider,
  'Postgres, by the interface': (t) => onlyInterface(openProvider(t, pg.url).provider),
}

for (const [name, fallbackOf] of Object.entries(fallbacks)) {
  describe(name, () => {
    test('withLock: the result, the error, and nobody else meanwhile', async (t) => {
      const redlock = await cutOff(t, { fallback: fallbackOf(t) })
      const key = uniqueKey()
      const seen = await redlock.withLock(key, 5000, async (lock) => {
        assert.equal(await outside(() => redlock.tryAcquire(key, 5000)), null)
        assert.equal(lock.signal.aborted, false)
        assert.ok(lock.remaining > 0 && lock.remaining <= 5000)
        return { key: lock.key, degraded: lock.degraded, isHeld: lock.isHeld, id: lock.id.length, ttl: lock.ttl }
      })
      assert.deepEqual(seen, { key, degraded: true, isHeld: true, id: 32, ttl: 5000 })
      const mine = new Error('mine')
      const failing = redlock.withLock(key, 5000, () => Promise.reject(mine))
      await assert.rejects(failing, (error) => error === mine)
      assert.equal(await redlock.withLock(key, 5000, () => 1), 1)
    })

    test('acquire, extend, release; the same answer to every release', async (t) => {
      const redlock = await cutOff(t, { fallback: fallbackOf(t) })
      const key = uniqueKey()
      const lock = await redlock.acquire(key, 5000)
      assert.equal(lock.degraded, true)
      assert.ok(lock.attempts >= 1)
      assert.ok(Array.isArray(lock.votes))
      assert.equal(await redlock.tryAcquire(key, 5000), null)
      await lock.extend(20_000)
      assert.equal(lock.ttl, 20_000)
      assert.ok(lock.remaining > 10_000)
      const answer = lock.release()
      assert.equal(lock.isHeld, false)
      assert.equal(lock.release(), answer)
      assert.equal(await answer, 'released')
      await assert.rejects(lock.extend(), (error) => error instanceof LockLostError && error.reason === 'released')
      const again = await redlock.tryAcquire(key, 5000)
      assert.equal(again.degraded, true)
      await again[Symbol.asyncDispose]()
    })

    test('who waits is refused when his time is over, and gets it when it is free', async (t) => {
      const redlock = await cutOff(t, { fallback: fallbackOf(t) })
      const key = uniqueKey()
      const lock = await redlock.acquire(key, 20_000)
      await assert.rejects(redlock.acquire(key, 5000, { wait: 50 }), LockContendedError)
      await assert.rejects(redlock.withLock(key, 5000, assert.fail, { wait: 50 }), LockContendedError)
      const waiting = redlock.withLock(key, 5000, () => 'mine', { wait: 60_000 })
      await lock.release()
      assert.equal(await within(30_000, waiting), 'mine')
    })

    test('a signal ends the wait with its reason, and leaves nothing behind', async (t) => {
      const redlock = await cutOff(t, { fallback: fallbackOf(t) })
      const key = uniqueKey()
      const lock = await redlock.acquire(key, 20_000)
      for (const call of [
        (options) => redlock.acquire(key, 5000, options),
        (options) => redlock.withLock(key, 5000, assert.fail, options),
      ]) {
        const reason = new Error('enough')
        const controller = new AbortController()
        const waiting = call({ wait: 60_000, signal: controller.signal })
        setImmediate(() => controller.abort(reason))
        await assert.rejects(within(20_000, waiting), (error) => error === reason)
      }
      await lock.release()
      const next = await redlock.acquire(key, 5000, { wait: 60_000 })
      await next.release()
    })

    test('stats() counts what is held, and who waits', async (t) => {
      const redlock = await cutOff(t, { fallback: fallbackOf(t) })
      const counts = () => [redlock.stats().held, redlock.stats().waiting]
      assert.deepEqual(counts(), [0, 0])
      const key = uniqueKey()
      const lock = await redlock.acquire(key, 20_000)
      const waiting = redlock.withLock(key, 5000, () => counts(), { wait: 60_000 })
      const other = await redlock.acquire([uniqueKey(), uniqueKey()], 20_000)
      assert.deepEqual(counts(), [2, 1])
      await lock.release()
      assert.deepEqual(await within(30_000, waiting), [2, 0])
      await other.release()
      assert.deepEqual(counts(), [0, 0])
      const left = await redlock.acquire(key, 20_000)
      await redlock.close({ timeout: 0 })
      assert.deepEqual([left.isHeld, ...counts()], [false, 0, 0])
    })

    test('several keys, all or none', async (t) => {
      const redlock = await cutOff(t, { fallback: fallbackOf(t) })
      const [a, b, c] = [uniqueKey('z'), uniqueKey('y'), uniqueKey('x')]
      const lock = await redlock.acquire([a, b], 20_000)
      assert.deepEqual(lock.key, [a, b])
      assert.equal(await redlock.tryAcquire([c, b], 5000), null)
      await (await redlock.tryAcquire(c, 5000)).release()
      await lock.release()
      await redlock.withLock([c, b, a], 5000, (held) => assert.equal(held.isHeld, true))
    })

    test('asking again inside is told as the deadlock it is', async (t) => {
      const redlock = await cutOff(t, { fallback: fallbackOf(t) })
      const key = uniqueKey()
      await redlock.withLock([key, uniqueKey()], 5000, async () => {
        const again = redlock.withLock(key, 5000, assert.fail)
        await assert.rejects(again, (error) => error instanceof LockContendedError && error.reentrant)
        assert.equal(await redlock.tryAcquire(key, 5000), null)
        await redlock.withLock(uniqueKey(), 5000, (other) => assert.equal(other.degraded, true))
      })
    })

    test('currentLock() is the lock of the section, until that is given back', async (t) => {
      const redlock = await cutOff(t, { fallback: fallbackOf(t) })
      await redlock.withLock(uniqueKey(), 5000, async (lock) => {
        assert.equal(currentLock(), lock)
        await redlock.withLock(uniqueKey(), 5000, async (inner) => {
          await new Promise(setImmediate)
          assert.equal(currentLock(), inner)
        })
        assert.equal(currentLock(), lock)
        await lock.release()
        assert.equal(currentLock(), undefined)
      })
      assert.equal(currentLock(), undefined)
    })

    test('a lock that nobody renews is lost when its ttl is over; the signal and the event say so', async (t) => {
      const redlock = await cutOff(t, { fallback: fallbackOf(t) })
      const key = uniqueKey()
      const events = []
      redlock.on('lost', (event) => events.push(event))
      const lock = await redlock.acquire(key, 100)
      const { signal } = lock
      await until(() => signal.aborted)
      assert.ok(signal.reason instanceof LockLostError)
      assert.equal(signal.reason.reason, 'expired')
      assert.deepEqual(events, [{ key, id: lock.id, reason: 'expired' }])
      assert.equal(lock.isHeld, false)
      await assert.rejects(lock.extend(), LockLostError)
      await lock.release()
      await (await redlock.acquire(key, 5000)).release()
    })

    test('withLock renews, unless it is told not to', async (t) => {
      const redlock = await cutOff(t, { fallback: fallbackOf(t) })
      await redlock.withLock(uniqueKey(), 3000, async (lock) => {
        await new Promise((resolve) => setTimeout(resolve, 3500))
        assert.equal(lock.signal.aborted, false)
        assert.equal(lock.isHeld, true)
      })
    })

    test('close() rejects who waits, and waits for who holds', async (t) => {
      const redlock = await cutOff(t, { fallback: fallbackOf(t) })
      const key = uniqueKey()
      const lock = await redlock.acquire(key, 20_000)
      const waiting = assert.rejects(redlock.acquire(key, 5000, { wait: 60_000 }), RedlockClosedError)
      const section = assert.rejects(redlock.withLock(key, 5000, assert.fail, { wait: 60_000 }), RedlockClosedError)
      let isClosed = false
      const closing = redlock.close({ timeout: 60_000 }).then(() => {
        isClosed = true
      })
      await Promise.all([waiting, section])
      assert.equal(isClosed, false)
      assert.equal(lock.isHeld, true)
      await lock.release()
      await within(30_000, closing)
      await assert.rejects(redlock.acquire(key, 5000), RedlockClosedError)
    })

    test('close() takes away what is not given back, sections included', async (t) => {
      const redlock = await cutOff(t, { fallback: fallbackOf(t) })
      const events = []
      redlock.on('lost', (event) => events.push(event.reason))
      const lock = await redlock.acquire(uniqueKey(), 20_000)
      const reasons = []
      const section = redlock.withLock(uniqueKey(), 20_000, async ({ signal }) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        reasons.push(signal.reason.reason)
      })
      section.catch(() => {}) // a transaction that is taken away is not committed
      await until(() => redlock.stats().degraded)
      await new Promise((resolve) => setTimeout(resolve, 50))
      await within(30_000, redlock.close({ timeout: 20 }))
      assert.equal(lock.signal.reason.reason, 'closed')
      assert.equal(lock.isHeld, false)
      await section.catch(() => {})
      assert.deepEqual(reasons, ['closed'])
      assert.deepEqual(events, ['closed', 'closed'])
    })
  })
}
