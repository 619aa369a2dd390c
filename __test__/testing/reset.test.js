'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { RedlockClosedError } = require('../..')
const { open, outcome } = require('./support/open')

test('everything that a test has left is cleared away, also that of who shares the nodes', async (t) => {
  const one = open(t)
  const other = open(t, { with: one })
  const lost = []
  other.on('lost', ({ reason }) => lost.push(reason))
  const locks = [await one.acquire('a', 1000, { renew: true }), await other.acquire('b', 1000)]
  const waiting = [outcome(one.acquire('b', 1000)), outcome(other.acquire('a', 1000))]
  await one.failNodes(2)
  await one.reset()
  for (const lock of locks) assert.equal(lock.isHeld, false)
  for (const { error } of waiting) assert.ok(error instanceof RedlockClosedError)
  assert.match(waiting[0].error.message, /^could not lock "b": reset\(\) was called meanwhile$/)
  assert.deepEqual(lost, ['closed'])
  for (const redlock of [one, other]) {
    assert.equal(redlock.stats().held + redlock.stats().waiting, 0)
    assert.ok(redlock.stats().nodes.every(({ state }) => state === 'up'))
  }
  for (const key of ['a', 'b']) {
    const lock = await one.tryAcquire(key, 1000)
    assert.equal(lock.votes.length, 3)
    await lock.release()
  }
})

test('a section that is left running is told by its signal', async (t) => {
  const redlock = open(t)
  const section = redlock.withLock('key', 1000, ({ signal }) => {
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason.reason)))
  })
  await redlock.reset()
  assert.equal(await section, 'closed')
  assert.equal(await redlock.withLock('key', 1000, () => 'again'), 'again')
})

test('with nothing left it does nothing', async (t) => {
  const redlock = open(t)
  await redlock.reset()
  await redlock.reset()
  assert.equal(await redlock.withLock('key', 1000, () => 1), 1)
})
