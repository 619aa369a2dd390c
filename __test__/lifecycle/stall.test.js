'use strict'

// A JavaScript thread that does not run for a while: the renewal goes on without it, up to a limit; and whatever
// happened meanwhile, the first line afterwards knows.

const path = require('node:path')
const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { useCluster } = require('../support/cluster')
const { Child } = require('../support/child')
const { connected, open, uniqueKey } = require('../support/quorlock')
const { block, sleep, until, within } = require('../support/until')

describe('a blocked event loop', () => {
  const cluster = useCluster(3)
  const kinds = { memory: () => 'memory', Redis: () => cluster.urls }

  for (const [kind, nodesOf] of Object.entries(kinds)) {
    test(`2 x ttl: a renewed lock is held, an unrenewed one is not, over ${kind}`, async (t) => {
      const redlock = await connected(t, nodesOf())
      const renewed = await redlock.acquire(uniqueKey(), 800, { renew: true })
      const plain = await redlock.acquire(uniqueKey(), 800)
      block(1600)
      assert.deepEqual([renewed.isHeld, plain.isHeld], [true, false])
      assert.equal(plain.remaining, 0)
      assert.ok(renewed.remaining > 0 && renewed.remaining <= 800, String(renewed.remaining))
      assert.equal(await renewed.release(), 'released')
      assert.equal(await plain.release(), 'expired')
    })

    test(`what happened during the block is told in order, over ${kind}`, async (t) => {
      const redlock = await connected(t, nodesOf())
      const told = []
      redlock.on('lost', ({ key }) => told.push(key))
      const keys = [uniqueKey('a'), uniqueKey('b'), uniqueKey('c')]
      for (const [i, key] of keys.entries()) await redlock.acquire(key, 800 + 100 * i)
      block(1300)
      assert.deepEqual(told, [])
      await until(() => told.length === 3)
      assert.deepEqual(told, keys)
    })

    test(`stallLimit ends the renewal of a hung process, over ${kind}`, async (t) => {
      const redlock = await connected(t, nodesOf(), { stallLimit: 500 })
      const reasons = []
      redlock.on('lost', ({ reason }) => reasons.push(reason))
      const lock = await redlock.acquire(uniqueKey(), 400, { renew: true })
      block(2000)
      const { isHeld, remaining } = lock
      assert.equal(isHeld, false)
      assert.equal(remaining, 0)
      assert.equal(lock.signal.aborted, true)
      await until(() => reasons.length === 1)
      assert.deepEqual(reasons, ['stalled'])
      assert.equal(await lock.release(), 'expired')
    })

    test(`a thread that runs is never stalled, over ${kind}`, async (t) => {
      const redlock = await connected(t, nodesOf(), { stallLimit: 500 })
      const lock = await redlock.acquire(uniqueKey(), 400, { renew: true })
      await sleep(1500)
      assert.equal(lock.isHeld, true)
      for (let i = 0; i < 5; i++) {
        block(100)
        await sleep(1)
      }
      assert.equal(lock.isHeld, true)
      assert.equal(await lock.release(), 'released')
    })
  }

  test('a grant that ran out before it could be delivered is no lock', async (t) => {
    const redlock = await connected(t, cluster.urls)
    // Stopped until we block: a quick answer would be delivered before.
    for (const server of cluster.servers) server.pause()
    const asking = redlock.acquire(uniqueKey(), 1000, { wait: 20_000 })
    await Promise.resolve()
    for (const server of cluster.servers) server.resume()
    block(2500)
    const lock = await asking
    assert.ok(lock.attempts > 1, 'the round that came too late is not the one that won')
    assert.equal(lock.isHeld, true)
    assert.ok(lock.remaining > 0)
  })

  test('a process under SIGSTOP loses its lock, another takes it, and the first line afterwards knows', async (t) => {
    const key = uniqueKey()
    const script = path.join(__dirname, 'fixtures', 'scenarios.js')
    const child = new Child(script, { args: ['stopped', cluster.urls.join(','), key] })
    t.after(() => child.stop())
    await child.message((message) => message === 'ready')
    const redlock = open(t, cluster.urls)
    assert.equal(await redlock.tryAcquire(`${key}:0`, 5000), null)
    child.kill('SIGSTOP')
    const lock = await redlock.acquire(`${key}:0`, 20_000, { wait: 20_000 })
    await sleep(1500)
    child.kill('SIGCONT')
    const seen = await child.message((message) => message.lost)
    assert.equal(seen.isHeld, false)
    assert.equal(seen.remaining, 0)
    assert.equal(seen.aborted, true)
    assert.equal(seen.lost.length, 1)
    assert.equal(seen.release, 'expired')
    assert.equal(lock.isHeld, true)
    assert.equal(await lock.release(), 'released')
    await within(10_000, child.ended, 'the process')
  })
})
