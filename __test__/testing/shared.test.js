'use strict'

// Two services, as of two processes, that lock the same keys.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { LockContendedError } = require('../..')
const { open, outcome } = require('./support/open')

function two(t, options) {
  const one = open(t, options)
  return [one, open(t, { ...options, with: one })]
}

test('what one holds, the other is refused', async (t) => {
  const [one, other] = two(t)
  const lock = await one.acquire('key', 1000)
  assert.equal(await other.tryAcquire('key', 1000), null)
  await assert.rejects(other.acquire('key', 1000, { wait: 0 }), LockContendedError)
  await lock.release()
  assert.notEqual(await other.tryAcquire('key', 1000), null)
})

test('the other has it at the moment in which the one gives it back', async (t) => {
  const [one, other] = two(t)
  const lock = await one.acquire('key', 5000)
  const waiting = outcome(other.acquire('key', 1000, { wait: 3000 }))
  await one.advance(1000)
  assert.equal(waiting.state, 'pending')
  await lock.release()
  await one.settled()
  assert.equal(waiting.state, 'resolved')
  assert.equal(waiting.value.remaining, 988)
})

test('they share their time and their nodes, whichever is asked', async (t) => {
  const [one, other] = two(t)
  const locks = [await one.acquire('a', 1000), await other.acquire('b', 1000)]
  await other.failNodes(2)
  for (const redlock of [one, other]) await assert.rejects(redlock.acquire('c', 1000, { wait: 0 }))
  await one.failNodes(0)
  await other.advance(1000)
  assert.deepEqual(
    locks.map(({ isHeld }) => isHeld),
    [false, false],
  )
})

test('one that comes later finds the nodes as they are', async (t) => {
  const one = open(t, { maxTtl: 5000 })
  await one.failNodes(1)
  await one.restartNode(1)
  const late = open(t, { with: one, maxTtl: 5000, wait: 0 })
  assert.equal(late.stats().nodes[0].state, 'down')
  assert.equal(late.stats().nodes[2].state, 'up')
})

test('either takes a lock away, and the holder hears of it', async (t) => {
  const [one, other] = two(t, { keyPrefix: 'app:' })
  const lock = await one.acquire('key', 1000)
  const lost = []
  one.on('lost', ({ reason }) => lost.push(reason))
  await other.loseLock('key')
  assert.equal(lock.isHeld, false)
  assert.deepEqual(lost, ['gone'])
})

test('a service that is closed leaves its locks to the other', async (t) => {
  const [one, other] = two(t)
  await one.acquire('key', 60_000, { renew: true })
  const waiting = outcome(other.acquire('key', 1000, { wait: 3000 }))
  await other.settled()
  assert.equal(waiting.state, 'pending')
  await one.close()
  await other.settled()
  assert.equal(waiting.state, 'resolved')
})

test('many of several services: each has it once, and never two at a time', async (t) => {
  const services = two(t)
  services.push(open(t, { with: services[1] }))
  let inside = 0
  let most = 0
  const done = []
  const work = (service, name) =>
    service.withLock(
      'key',
      1000,
      async () => {
        inside += 1
        most = Math.max(most, inside)
        await new Promise(setImmediate)
        inside -= 1
        done.push(name)
      },
      { wait: 60_000 },
    )
  const all = services.flatMap((service, i) => Array.from({ length: 20 }, (_, n) => work(service, `${i}.${n}`)))
  // What a section waits for is no lock, so that a single advance may come too early.
  for (let step = 0; step < 5000 && done.length < all.length; step += 1) await services[0].advance(1)
  await Promise.all(all)
  assert.equal(most, 1)
  assert.equal(new Set(done).size, 60)
})

test('instances that do not share their nodes know nothing of each other', async (t) => {
  const [one, other] = [open(t), open(t)]
  const locks = [await one.acquire('key', 1000), await other.acquire('key', 1000)]
  await one.failNodes(3)
  await one.advance(5000)
  assert.equal(locks[0].isHeld, false)
  assert.equal(locks[1].isHeld, true)
  await other.withLock('nested', 1000, () => one.failNodes(0))
  await one.withLock('nested', 1000, () => other.withLock('nested', 1000, () => {}))
})

test('the same key again, across two of them, is the deadlock that it would be', async (t) => {
  const [one, other] = two(t)
  await one.withLock('key', 1000, async () => {
    await assert.rejects(other.acquire('key', 1000), (error) => error.reentrant === true)
  })
})

test('with fencing the tokens of both go up', async (t) => {
  const [one, other] = two(t, { fencing: true })
  const tokens = []
  for (let i = 0; i < 10; i += 1) {
    const lock = await (i % 2 ? one : other).acquire('key', 1000)
    tokens.push(lock.token)
    if (i % 3) await one.advance(1000)
    else await lock.release()
  }
  assert.deepEqual(
    tokens,
    [...new Set(tokens)].sort((a, b) => a - b),
  )
})
