'use strict'

// A release gives the live lease to the next call of the process that waits for the key.

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { Cluster } = require('../../support/cluster')
const { allUp, connected, uniqueKey, LockLostError } = require('../../support/quorlock')
const { sleep, timed, until, within } = require('../../support/until')

const WAIT = { wait: 30_000 }

/** How many commands a server has executed, whatever they are; this one not counted. */
async function commands(server) {
  const text = await server.command('INFO', 'commandstats')
  const counts = [...text.matchAll(/^cmdstat_(\S+):calls=(\d+)/gm)].filter(([, name]) => name !== 'info')
  return counts.reduce((sum, [, , calls]) => sum + Number(calls), 0)
}

module.exports = (backend) => {
  const onAll = (...words) => Promise.all((backend.servers ?? []).map((server) => server.command(...words)))

  /** A holder, a waiter behind it, and the waiter's lock once the holder has released. */
  async function handedOver(t, { first = 20_000, second = 20_000, ...options } = {}) {
    const redlock = await allUp(t, backend.nodes)
    const key = uniqueKey()
    const before = await redlock.acquire(key, first)
    const waiting = redlock.acquire(key, second, { ...WAIT, ...options })
    await until(() => redlock.stats().waiting === 1)
    return {
      redlock,
      key,
      before,
      async release() {
        assert.equal(await before.release(), 'released')
        return within(20_000, waiting, 'the next holder')
      },
    }
  }

  if (backend.servers) {
    test('50 sections of one process cost a node fewer than 50 commands', async (t) => {
      // Servers of its own: others would be counted too.
      const cluster = await Cluster.start(backend.count)
      t.after(() => cluster.stop())
      const redlock = await allUp(t, cluster.urls)
      const key = uniqueKey()
      const before = await Promise.all(cluster.servers.map(commands))
      let done = 0
      const section = async () => {
        await sleep(1)
        done += 1
      }
      await Promise.all(Array.from({ length: 50 }, () => redlock.withLock(key, 5000, section, WAIT)))
      await until(async () => (await cluster.holding(key)) === 0)
      const after = await Promise.all(cluster.servers.map(commands))
      assert.equal(done, 50)
      for (const [i, count] of after.entries()) {
        // A few of them are those of the test, which looks whether the key is gone.
        assert.ok(count - before[i] < 50, `${count - before[i]} commands`)
      }
    })
  }

  test('each holder has a handle of its own', async (t) => {
    const { key, before, release } = await handedOver(t)
    const { signal } = before
    const lock = await release()
    assert.notEqual(lock, before)
    assert.notEqual(lock.signal, signal)
    assert.equal(before.isHeld, false)
    assert.equal(before.remaining, 0)
    assert.equal(signal.aborted, false)
    assert.equal(lock.key, key)
    assert.equal(lock.isHeld, true)
    assert.equal(lock.ttl, 20_000)
    assert.ok(lock.remaining > 10_000 && lock.remaining <= 20_000, String(lock.remaining))
    assert.ok(lock.attempts >= 1)
    assert.ok(lock.votes.filter(({ vote }) => vote === 'granted').length > backend.count / 2)
    for (const value of await onAll('GET', key)) assert.equal(value, lock.id)
    assert.equal(await lock.release(), 'released')
  })

  if (backend.servers) {
    test('the present holder hears of a loss, the one before does not', async (t) => {
      const { redlock, key, before, release } = await handedOver(t, { first: 1000, second: 1000, renew: true })
      const lost = []
      redlock.on('lost', (event) => lost.push(event))
      const old = before.signal
      const lock = await release()
      await onAll('DEL', key)
      await until(() => lock.signal.aborted)
      await until(() => lost.length > 0)
      await sleep(50)
      assert.equal(old.aborted, false)
      assert.equal(lost.length, 1)
      assert.equal(lost[0].key, key)
      assert.equal(await before.release(), 'released')
      assert.equal(await lock.release(), 'expired')
    })
  }

  test('what an earlier holder asks for late does nothing to the present one', async (t) => {
    const { redlock, key, before, release } = await handedOver(t)
    const lock = await release()
    const { remaining } = lock
    await assert.rejects(before.extend(50_000), (error) => {
      assert.ok(error instanceof LockLostError, String(error))
      assert.equal(error.reason, 'released')
      return true
    })
    assert.equal(await before.release(), 'released')
    await before[Symbol.asyncDispose]()
    assert.equal(lock.isHeld, true)
    assert.ok(lock.remaining <= remaining)
    assert.equal(await redlock.tryAcquire(key, 5000), null)
    for (const left of await onAll('PTTL', key)) assert.ok(left > 0 && left <= 20_000, `${left} ms left`)
    assert.equal(await lock.release(), 'released')
  })

  test('an extension under way when its lock is released does nothing to the next holder', async (t) => {
    const { before, release } = await handedOver(t)
    const extending = timed(() => before.extend(50_000))
    const lock = await release()
    const { error } = await within(20_000, extending, 'the extension')
    assert.ok(error === undefined || error instanceof LockLostError, String(error))
    assert.equal(lock.isHeld, true)
    assert.ok(lock.remaining <= 20_000, String(lock.remaining))
    assert.equal(await lock.release(), 'released')
  })

  test('a release after the end, when another waits, is late', async (t) => {
    const redlock = await connected(t, backend.nodes)
    const key = uniqueKey()
    const before = await redlock.acquire(key, 1000)
    const lock = await redlock.acquire(key, 20_000, WAIT)
    assert.equal(before.isHeld, false)
    assert.equal(await before.release(), 'expired')
    await assert.rejects(before.extend(), LockLostError)
    assert.equal(lock.isHeld, true)
    assert.equal(await redlock.tryAcquire(key, 5000), null)
    assert.equal(await lock.release(), 'released')
  })

  test('a holder of one second after one of ten ends after one second, and the next need not wait for ten', async (t) => {
    const { redlock, key, release } = await handedOver(t, { first: 10_000, second: 1000 })
    const lock = await release()
    const granted = performance.now()
    const { remaining } = lock
    assert.ok(remaining > 500 && remaining < 1000, String(remaining))
    const next = await within(20_000, redlock.acquire(key, 5000, WAIT), 'the next holder')
    const ms = performance.now() - granted
    assert.ok(ms >= remaining - 5 && ms < 8000, `it came after ${ms} ms`)
    assert.equal(lock.isHeld, false)
    assert.equal(await lock.release(), 'expired')
    assert.equal(next.isHeld, true)
  })

  test('a holder of ten seconds after one of one second has nearly ten', async (t) => {
    const { key, release } = await handedOver(t, { first: 1000, second: 10_000 })
    const lock = await release()
    assert.ok(lock.remaining > 9000 && lock.remaining < 10_000, String(lock.remaining))
    assert.equal(lock.ttl, 10_000)
    const kept = (await onAll('PTTL', key)).filter((left) => left > 8000)
    assert.ok(!backend.servers || kept.length > backend.count / 2)
    assert.equal(await lock.release(), 'released')
  })

  test('a lock got by tryAcquire is handed over', async (t) => {
    const redlock = await connected(t, backend.nodes)
    const key = uniqueKey()
    const before = await redlock.tryAcquire(key, 20_000)
    const waiting = redlock.acquire(key, 20_000, WAIT)
    await until(() => redlock.stats().waiting === 1)
    assert.equal(await before.release(), 'released')
    const lock = await within(20_000, waiting, 'the next holder')
    for (const value of await onAll('GET', key)) assert.ok(value === lock.id || value === null, 'one lock is there')
    // It has not been given back in between: its value on the nodes is the same.
    assert.equal(lock.id, before.id)
    assert.equal(await lock.release(), 'released')
  })

  test('a section that throws hands over too', async (t) => {
    const redlock = await connected(t, backend.nodes)
    const key = uniqueKey()
    const mine = new Error('mine')
    const sections = Array.from({ length: 10 }, (_, i) =>
      timed(() =>
        redlock.withLock(
          key,
          20_000,
          async (lock) => {
            await sleep(1)
            if (i % 2) throw mine
            return lock.id
          },
          WAIT,
        ),
      ),
    )
    const outcomes = await within(20_000, Promise.all(sections), 'the sections')
    assert.deepEqual(
      outcomes.map(({ error }) => error),
      Array.from({ length: 10 }, (_, i) => (i % 2 ? mine : undefined)),
    )
    assert.equal(new Set(outcomes.filter(({ value }) => value).map(({ value }) => value)).size, 1, 'one lease for all')
  })

  test('200 sections of 5 ms under a lease of 60 ms that is renewed', async (t) => {
    const redlock = await connected(t, backend.nodes)
    const key = uniqueKey()
    let [counter, sections, wrote] = [0, 0, 0]
    await Promise.all(
      Array.from({ length: 200 }, () =>
        redlock.withLock(
          key,
          60,
          async (lock) => {
            sections += 1
            const value = counter
            await sleep(5)
            // A machine that stands still for so long does lose the lock.
            if (!lock.isHeld) return
            counter = value + 1
            wrote += 1
          },
          { wait: 60_000 },
        ),
      ),
    )
    assert.equal(sections, 200)
    assert.equal(counter, wrote)
    assert.ok(wrote > 100, `${wrote} of 200 were held to their end`)
    assert.equal(redlock.stats().acquired, 200)
    t.diagnostic(`${200 - wrote} were lost`)
  })
}
