'use strict'

// A service that locks, tested as its author would.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { LockContendedError, LockLostError, QuorumUnavailableError, Redlock } = require('../..')
const { open, outcome } = require('./support/open')
const { OrderService, gate } = require('./support/order-service')

test('a TestRedlock is a Redlock, wherever one is wanted', async (t) => {
  const redlock = open(t)
  assert.ok(redlock instanceof Redlock)
  const service = new OrderService(redlock, new Map([['book', 1]]))
  assert.equal(await service.place('book', 'ann'), 'book for ann')
  await assert.rejects(service.place('book', 'bob'), /^Error: sold out$/)
  assert.deepEqual(redlock.locks(), [])
  assert.equal(redlock.stats().acquired, 2)
})

test('orders at the same time are served one after the other', async (t) => {
  const redlock = open(t)
  const service = new OrderService(redlock, new Map([['book', 3]]), { save: () => new Promise(setImmediate) })
  const orders = ['ann', 'bob', 'cid', 'dan'].map((buyer) => service.place('book', buyer))
  const results = await Promise.allSettled(orders)
  assert.deepEqual(service.sold, ['ann', 'bob', 'cid'])
  assert.equal(results[3].reason.message, 'sold out')
  assert.equal(service.stock.get('book'), 0)
})

test('the lock is lost in the middle: the service hears of it and sells nothing', async (t) => {
  const redlock = open(t)
  const saving = gate()
  const service = new OrderService(redlock, new Map([['book', 1]]), { save: () => saving.promise })
  const lost = []
  redlock.on('lost', (event) => lost.push(event))
  const order = outcome(service.place('book', 'ann'))
  await redlock.loseLock('lock:product:book')
  assert.equal(lost.length, 1)
  assert.equal(lost[0].key, 'lock:product:book')
  assert.equal(lost[0].reason, 'gone')
  assert.equal(order.state, 'pending')
  saving.open()
  await redlock.settled()
  assert.ok(order.error instanceof LockLostError)
  assert.equal(order.error.reason, 'gone')
  assert.equal(service.stock.get('book'), 1)
})

test("with whenLost: 'reject' a result that was reached without the lock is an error", async (t) => {
  const redlock = open(t)
  const working = gate()
  const section = redlock.withLock('report', 5000, () => working.promise.then(() => 'done'), { whenLost: 'reject' })
  await redlock.loseLock('report')
  working.open()
  await assert.rejects(section, (error) => error instanceof LockLostError && error.result === 'done')
})

test('a lock that is lost may be had by another', async (t) => {
  const redlock = open(t)
  const first = await redlock.acquire('key', 5000)
  const waiting = redlock.acquire('key', 5000)
  await redlock.loseLock('key')
  assert.equal(first.isHeld, false)
  assert.equal((await waiting).isHeld, true)
  assert.equal(await first.release(), 'expired')
  assert.equal((await waiting).isHeld, true)
})

test('one key of a lock of several is enough to lose it, and the prefix is not said', async (t) => {
  const redlock = open(t, { keyPrefix: 'app:' })
  const lock = await redlock.acquire(['a', 'b'], 5000)
  await redlock.loseLock('b')
  assert.equal(lock.signal.reason.reason, 'gone')
  assert.equal((await redlock.tryAcquire('a', 1000)).isHeld, true)
})

test('to lose a lock that nobody holds is a mistake in the test, and is told', async (t) => {
  const redlock = open(t)
  await assert.rejects(redlock.loseLock('order'), /^Error: loseLock: nobody holds "order"; nothing is held$/)
  await redlock.acquire('ordr', 1000)
  await assert.rejects(redlock.loseLock('order'), /nobody holds "order"; held are "ordr"$/)
})

test('too few nodes: the service is refused at once, or when its wait is over', async (t) => {
  const redlock = open(t)
  const hasty = new OrderService(redlock, new Map([['book', 1]]), { options: { wait: 0 } })
  const patient = new OrderService(redlock, new Map([['book', 1]]))
  await redlock.failNodes(2)
  await assert.rejects(hasty.place('book', 'ann'), QuorumUnavailableError)
  const order = outcome(patient.place('book', 'ann'))
  await redlock.advance(1999)
  assert.equal(order.state, 'pending')
  await redlock.advance(1)
  assert.ok(order.error instanceof QuorumUnavailableError)
  await redlock.failNodes(1)
  assert.equal(await hasty.place('book', 'ann'), 'book for ann')
})

test('a promise that is rejected on the way is handled afterwards, and not reported before', async (t) => {
  const redlock = open(t)
  const unhandled = []
  const hear = (reason) => unhandled.push(reason)
  process.on('unhandledRejection', hear)
  t.after(() => process.off('unhandledRejection', hear))
  const section = redlock.withLock('a', 60_000, ({ signal }) => {
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  })
  await redlock.loseLock('a')
  await assert.rejects(section, LockLostError)
  await redlock.acquire('b', 60_000)
  const waiting = redlock.acquire('b', 1000, { wait: 500 })
  await redlock.advance(20_000)
  await assert.rejects(waiting, LockContendedError)
  const left = redlock.acquire('b', 1000)
  await redlock.reset()
  await assert.rejects(left, { code: 'ERR_REDLOCK_CLOSED' })
  await new Promise(setImmediate)
  assert.deepEqual(unhandled, [])
})

test('others have the lock until the wait is over', async (t) => {
  const redlock = open(t)
  const service = new OrderService(redlock, new Map([['book', 1]]))
  await redlock.acquire('lock:product:book', 5000)
  const order = outcome(service.place('book', 'ann'))
  await redlock.advance(2000)
  assert.ok(order.error instanceof LockContendedError)
  assert.ok(order.error.retryAfter <= 3000)
})
