'use strict'

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { open, uniqueKey } = require('../../support/quorlock')
const { timed, until } = require('../../support/until')

module.exports = (backend) => {
  test('counts what happened', async (t) => {
    const redlock = open(t, backend.nodes)
    const counts = () => {
      const stats = redlock.stats()
      return Object.fromEntries(Object.keys(none).map((name) => [name, stats[name]]))
    }
    const none = {
      held: 0,
      waiting: 0,
      acquired: 0,
      contended: 0,
      timedOut: 0,
      aborted: 0,
      lost: 0,
      extended: 0,
      renewedLate: 0,
      released: 0,
    }
    assert.deepEqual(counts(), none)
    assert.equal(redlock.stats().quorum, Math.floor(backend.count / 2) + 1)

    const key = uniqueKey()
    const lock = await redlock.acquire(key, 5000)
    assert.deepEqual(counts(), { ...none, held: 1, acquired: 1 })
    await lock.extend(6000)
    assert.deepEqual(counts(), { ...none, held: 1, acquired: 1, extended: 1 })

    const controller = new AbortController()
    const waiting = timed(() => redlock.acquire(key, 5000, { wait: 20_000, signal: controller.signal }))
    await until(() => counts().waiting === 1)
    controller.abort()
    await waiting
    assert.equal(counts().waiting, 0)
    assert.equal(counts().aborted, 1)

    await lock.release()
    assert.equal(counts().released, 1)
    assert.equal(counts().held, 0)
    assert.equal(counts().acquired, 1)
  })

  test('counts refusals and losses', async (t) => {
    const redlock = open(t, backend.nodes)
    const key = uniqueKey()
    const lock = await redlock.acquire(key, 1000)
    assert.equal(await redlock.tryAcquire(key, 5000), null)
    assert.ok(redlock.stats().contended >= 1)
    await until(() => !lock.isHeld)
    await until(() => redlock.stats().lost === 1)
    assert.equal(redlock.stats().held, 0)
  })

  test('the nodes', async (t) => {
    const redlock = open(t, backend.nodes)
    await redlock.connect()
    const lock = await redlock.acquire(uniqueKey(), 5000)
    await lock.release()
    await until(() => redlock.stats().nodes.every((node) => node.state === 'up'))
    const { nodes } = redlock.stats()
    assert.equal(nodes.length, backend.count)
    assert.equal(new Set(nodes.map((node) => node.name)).size, backend.count)
    for (const node of nodes) {
      assert.equal(node.error, undefined)
      assert.ok(node.rtt.p50 >= 0 && node.rtt.p99 >= node.rtt.p50, JSON.stringify(node))
    }
  })

  test('the locks of this process', async (t) => {
    const redlock = open(t, backend.nodes)
    assert.deepEqual(redlock.locks(), [])
    const key = uniqueKey()
    const before = Date.now()
    const lock = await redlock.acquire(key, 5000)
    const waiting = redlock.acquire(key, 5000, { wait: 20_000 })
    await until(() => redlock.locks()[0]?.waiting === 1)
    const [entry, ...others] = redlock.locks()
    assert.deepEqual(others, [])
    assert.equal(entry.key, key)
    assert.equal(entry.id, lock.id)
    const since = entry.since instanceof Date ? entry.since.getTime() : entry.since
    assert.ok(since >= before - 10 && since <= Date.now() + 10, `${since} is not between ${before} and now`)
    assert.ok(entry.remaining > 3000 && entry.remaining <= 5000)
    await lock.release()
    await (await waiting).release()
    await until(() => redlock.locks().length === 0)
  })

  test('a snapshot is not changed later', async (t) => {
    const redlock = open(t, backend.nodes)
    const before = redlock.stats()
    await redlock.acquire(uniqueKey(), 5000)
    assert.equal(before.acquired, 0)
    assert.equal(redlock.stats().acquired, 1)
  })
}
