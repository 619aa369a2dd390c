'use strict'

// Calls of one process for one key stand in a queue: who comes first is served first, and who leaves harms nobody.

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { connected, elsewhere, uniqueKey, LockContendedError } = require('../../support/quorlock')
const { sleep, timed, until, within } = require('../../support/until')

const WAIT = { wait: 30_000 }
const turn = () => new Promise((resolve) => setImmediate(resolve))
const numbers = (count) => Array.from({ length: count }, (_, i) => i)

module.exports = (backend) => {
  test('who waits is served in the order of arrival, however it asked', async (t) => {
    const redlock = await connected(t, backend.nodes)
    const key = uniqueKey()
    const holder = await redlock.acquire(key, 20_000)
    const order = []
    const kinds = [
      async (i) => {
        const lock = await redlock.acquire(key, 20_000, WAIT)
        order.push(i)
        await lock.release()
      },
      (i) => redlock.withLock(key, 20_000, () => order.push(i), WAIT),
      async (i) => {
        const lock = redlock.createLock(key)
        assert.equal(await lock.tryAcquire(30_000), true)
        order.push(i)
        await lock.release()
      },
    ]
    const waiting = []
    for (const i of numbers(15)) {
      waiting.push(kinds[i % kinds.length](i))
      await until(() => redlock.stats().waiting === i + 1)
    }
    await holder.release()
    await within(20_000, Promise.all(waiting), 'everybody')
    assert.deepEqual(order, numbers(15))
  })

  test('two instances with the same settings have one queue', async (t) => {
    const two = [await connected(t, backend.nodes), await connected(t, backend.nodes)]
    const key = uniqueKey()
    const holder = await two[0].acquire(key, 20_000)
    const order = []
    const waiting = numbers(20).map((i) => two[i % 2].withLock(key, 20_000, () => order.push(i), WAIT))
    await until(() => two.every((redlock) => redlock.stats().waiting === 10))
    await holder.release()
    await within(20_000, Promise.all(waiting), 'everybody')
    assert.deepEqual(order, numbers(20))
  })

  test('another keyPrefix is another queue', async (t) => {
    const redlock = await connected(t, backend.nodes)
    const other = await connected(t, backend.nodes, { keyPrefix: 'other:' })
    const key = uniqueKey()
    const holder = await redlock.acquire(key, 20_000)
    const theirs = await other.tryAcquire(key, 20_000)
    assert.ok(theirs)
    const waiting = redlock.acquire(key, 20_000, WAIT)
    await theirs.release()
    await sleep(50)
    assert.equal(redlock.stats().waiting, 1)
    await holder.release()
    assert.equal((await within(20_000, waiting, 'the waiter')).isHeld, true)
  })

  test('each who waits in the queue waits as long as it wants to, and hears who refused', async (t) => {
    const redlock = await connected(t, backend.nodes)
    const names = redlock.stats().nodes.map(({ name }) => name)
    const key = uniqueKey()
    // Held here, and held elsewhere: in both cases the nodes have refused, not the queue.
    for (const from of [redlock, await connected(t, backend.nodes, elsewhere)]) {
      const holder = await from.acquire(key, 20_000)
      const patient = redlock.acquire(key, 20_000, WAIT)
      const asked = [300, 600].map((wait) => timed(() => redlock.acquire(key, 20_000, { wait })))
      const controller = new AbortController()
      const aborted = timed(() => redlock.acquire(key, 20_000, { ...WAIT, signal: controller.signal }))
      for (const [i, { error, ms }] of (await Promise.all(asked)).entries()) {
        assert.ok(error instanceof LockContendedError, String(error))
        assert.ok(ms >= 300 * (i + 1) - 20 && ms < 6000, `${ms} ms`)
        assert.ok(error.votes.length > backend.count / 2, error.message)
        for (const vote of error.votes) {
          assert.equal(vote.vote, 'refused', error.message)
          assert.ok(names.includes(vote.node) && error.message.includes(vote.node), error.message)
        }
        // Not known while who is first in the queue is asking the nodes anew.
        const { retryAfter = 20_000 } = error
        assert.ok(retryAfter > 5000 && retryAfter <= 20_000, String(retryAfter))
      }
      assert.equal(redlock.stats().waiting, 2)
      const reason = new Error('enough')
      controller.abort(reason)
      assert.equal((await aborted).error, reason)
      assert.equal(redlock.stats().waiting, 1)
      await holder.release()
      const lock = await within(20_000, patient, 'who waits on')
      assert.equal(await lock.release(), 'released')
    }
  })

  test('who leaves in the tick of the release takes nobody the grant, 200 times', async (t) => {
    const redlock = await connected(t, backend.nodes)
    const key = uniqueKey()
    let holder = await redlock.acquire(key, 20_000)
    for (let i = 0; i < 200; i++) {
      const controller = new AbortController()
      const leaver = timed(() => redlock.acquire(key, 20_000, { ...WAIT, signal: controller.signal }))
      const stayer = redlock.acquire(key, 20_000, WAIT)
      if (i % 3) await turn()
      const leave = () => controller.abort(new Error('enough'))
      if (i % 2) leave()
      const released = holder.release()
      if (i % 4 === 2) await Promise.resolve()
      if (i % 2 === 0) leave()
      const { value, error } = await leaver
      assert.ok(value || error.message === 'enough', String(error))
      await value?.release()
      holder = await within(20_000, stayer, `who stays, in round ${i}`)
      assert.equal(await released, 'released')
      assert.equal(holder.isHeld, true)
    }
    assert.equal(redlock.stats().waiting, 0)
    assert.equal(await holder.release(), 'released')
    assert.ok(await redlock.tryAcquire(key, 5000), 'nothing stays behind')
  })

  test('a call for several keys is not overtaken for ever, and none is lost', async (t) => {
    const redlock = await connected(t, backend.nodes)
    const keys = [uniqueKey(), uniqueKey()]
    const inside = new Map(keys.map((key) => [key, 0]))
    const section = (wanted) =>
      redlock.withLock(
        wanted,
        5000,
        async () => {
          for (const key of [wanted].flat()) inside.set(key, inside.get(key) + 1)
          await turn()
          for (const key of [wanted].flat()) {
            assert.equal(inside.get(key), 1)
            inside.set(key, 0)
          }
        },
        WAIT,
      )
    let isOver = false
    const single = async (key) => {
      while (!isOver) await section(key)
    }
    const singles = [...keys, ...keys, ...keys].map(single)
    const several = [keys, [...keys].reverse()].map(async (wanted) => {
      for (let i = 0; i < 20; i++) await section(wanted)
    })
    await within(30_000, Promise.all(several), 'the calls for both keys').finally(() => {
      isOver = true
    })
    await within(30_000, Promise.all(singles), 'the calls for one key')
    assert.equal(redlock.stats().waiting, 0)
  })

  test('waiting is counted for each key', async (t) => {
    const redlock = await connected(t, backend.nodes)
    const [key, another] = [uniqueKey(), uniqueKey()]
    await redlock.acquire(another, 20_000)
    let holder = await redlock.acquire(key, 20_000)
    const waiting = numbers(5).map(() => redlock.acquire(key, 20_000, WAIT))
    const entry = () => redlock.locks().find((lock) => lock.key === key)
    for (let left = 5; left >= 0; left--) {
      await until(() => redlock.stats().waiting === left, { what: `${left} wait` })
      assert.equal(entry().waiting, left)
      assert.equal(entry().id, holder.id)
      assert.equal(redlock.stats().held, 2)
      assert.equal(redlock.locks().find((lock) => lock.key === another).waiting, 0)
      await holder.release()
      if (left > 0) holder = await waiting[5 - left]
    }
    assert.equal(redlock.stats().held, 1)
    assert.equal(redlock.stats().released, 6)
  })

  test('waiting is counted for each instance', async (t) => {
    const redlock = await connected(t, backend.nodes)
    const other = await connected(t, backend.nodes)
    const key = uniqueKey()
    const holder = await redlock.acquire(key, 20_000)
    const theirs = other.acquire(key, 20_000, WAIT)
    const ours = redlock.acquire(key, 20_000, WAIT)
    assert.equal(redlock.stats().waiting, 1)
    assert.equal(other.stats().waiting, 1)
    await holder.release()
    await (await within(20_000, theirs, 'theirs')).release()
    const lock = await within(20_000, ours, 'ours')
    assert.equal(redlock.stats().waiting, 0)
    assert.equal(other.stats().waiting, 0)
    assert.equal(redlock.stats().held, 1)
    assert.equal(other.stats().held, 0)
    await lock.release()
    assert.equal(redlock.stats().released, 2)
    assert.equal(other.stats().released, 1)
  })
}
