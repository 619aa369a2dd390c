'use strict'

const assert = require('node:assert/strict')
const { mock, test } = require('node:test')
const { LockContendedError } = require('../..')
const { sleep } = require('../support/until')
const { open, outcome } = require('./support/open')

// Of a ttl the drift is taken off, 1 % and 2 ms.
const VALIDITY = 1000 - 12

test('time stands still until it is let pass', async (t) => {
  const redlock = open(t)
  const lock = await redlock.acquire('key', 1000)
  await sleep(5)
  assert.equal(lock.remaining, VALIDITY)
  await redlock.advance(0)
  assert.equal(lock.remaining, VALIDITY)
  await redlock.advance(100)
  assert.equal(Math.round(lock.remaining * 1e6), (VALIDITY - 100) * 1e6)
})

test('a lock expires when its ttl is over, not a millisecond before', async (t) => {
  const redlock = open(t)
  const lock = await redlock.acquire('key', 1000)
  const reasons = []
  redlock.on('lost', ({ reason }) => reasons.push(reason))
  const { signal } = lock
  await redlock.advance(VALIDITY - 1)
  assert.equal(lock.isHeld, true)
  assert.equal(signal.aborted, false)
  await redlock.advance(1)
  assert.equal(lock.isHeld, false)
  assert.equal(lock.remaining, 0)
  assert.equal(signal.reason.reason, 'expired')
  assert.deepEqual(reasons, ['expired'])
})

test('keys that could not be given back are gone once the nodes are back, or when their time is over', async (t) => {
  const redlock = open(t)
  const other = open(t, { with: redlock })
  const held = async () => (await other.inspect('key')).map((seen) => seen.held)
  const lock = await redlock.acquire('key', 1000)
  await redlock.failNodes(3)
  assert.equal(await lock.release(), 'unknown')
  await redlock.failNodes(0)
  assert.deepEqual(await held(), [false, false, false])
  await redlock.acquire('key', 1000)
  await redlock.failNodes(3)
  await redlock.close()
  await other.failNodes(0)
  assert.deepEqual(await held(), [true, true, true])
  await other.advance(1000)
  assert.deepEqual(await held(), [false, false, false])
})

for (const [what, span, expected] of [
  ['is over before the wait', 1000, 'resolved'],
  ['outlasts the wait', 60_000, 'rejected'],
]) {
  test(`who waits for a lock whose ttl ${what}: ${expected}`, async (t) => {
    const redlock = open(t)
    await redlock.acquire('key', span)
    const waiting = outcome(redlock.acquire('key', 1000, { wait: 3000 }))
    await redlock.advance(900)
    assert.equal(waiting.state, 'pending')
    await redlock.advance(2100)
    assert.equal(waiting.state, expected)
    if (expected === 'rejected') assert.ok(waiting.error instanceof LockContendedError)
  })
}

test('renewal keeps a lock over many advances of any length, and longer than stallLimit', async (t) => {
  const redlock = open(t, { stallLimit: 5000 })
  const lock = await redlock.acquire('key', 1000, { renew: true })
  for (const span of [1, 300, 999, 1000, 5000, 60_000, 100_000]) {
    for (let i = 0; i < 3; i += 1) await redlock.advance(span)
    assert.equal(lock.isHeld, true)
  }
  assert.ok(redlock.stats().extended > 1000)
})

test('maxHold ends it', async (t) => {
  const redlock = open(t, { maxHold: 10_000 })
  const lock = await redlock.acquire('key', 1000, { renew: true })
  const { signal } = lock
  await redlock.advance(9000)
  assert.equal(signal.aborted, false)
  await redlock.advance(2000)
  assert.equal(signal.reason.reason, 'maxHold')
})

test('one advance goes through all that is due: code runs on in between, at the moment at which it would', async (t) => {
  const redlock = open(t)
  const told = []
  const worker = async (name, ttl) => {
    for (let i = 0; i < 3; i += 1) {
      const lock = await redlock.acquire('key', ttl)
      told.push(`${name} ${i}`)
      await new Promise((resolve) => lock.signal.addEventListener('abort', resolve))
      await lock.release()
    }
  }
  const workers = Promise.all([worker('a', 100), worker('b', 200)])
  await redlock.advance(2000)
  await workers
  assert.deepEqual(told, ['a 0', 'b 0', 'a 1', 'b 1', 'a 2', 'b 2'])
})

test('an extension counts from the moment at which it was asked for', async (t) => {
  const redlock = open(t)
  const lock = await redlock.acquire('key', 1000)
  await redlock.advance(500)
  await lock.extend(2000)
  await redlock.advance(1900)
  assert.equal(lock.isHeld, true)
  await redlock.advance(100)
  assert.equal(lock.isHeld, false)
})

test('a section may let time pass itself', async (t) => {
  const redlock = open(t)
  const seen = await redlock.withLock('key', 1000, async (lock) => {
    await redlock.advance(10_000)
    return lock.isHeld
  })
  assert.equal(seen, true)
})

test('advances that nobody waits for come one after the other', async (t) => {
  const redlock = open(t)
  const lock = await redlock.acquire('key', 1000)
  redlock.advance(300)
  redlock.advance(300)
  await redlock.settled()
  assert.equal(Math.round(lock.remaining), VALIDITY - 600)
})

test('close() has the time of the instance', async (t) => {
  const redlock = open(t)
  const section = redlock.withLock('key', 1000, ({ signal }) => {
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason.reason)))
  })
  await redlock.settled()
  const closed = outcome(redlock.close({ timeout: 5000 }))
  await redlock.advance(4999)
  assert.equal(closed.state, 'pending')
  await redlock.advance(1)
  assert.equal(closed.state, 'resolved')
  assert.equal(await section, 'closed')
})

test('close() without a timeout does not wait for a lock that the test forgot', async (t) => {
  const redlock = open(t)
  const lock = await redlock.acquire('key', 60_000)
  await redlock.close()
  assert.equal(lock.isHeld, false)
  await assert.rejects(redlock.acquire('key', 1000), { code: 'ERR_REDLOCK_CLOSED' })
})

test('the same test does the same each time', async (t) => {
  const history = async () => {
    const redlock = open(t)
    const other = open(t, { with: redlock })
    await redlock.acquire('key', 1000)
    const waiting = Promise.all(['a', 'b', 'c'].map(() => other.acquire('key', 100, { wait: 20_000 })))
    for (let step = 0; step < 200 && other.stats().waiting > 0; step += 1) await redlock.advance(10)
    return (await waiting).map(({ attempts }) => attempts)
  }
  const first = await history()
  for (let i = 0; i < 5; i += 1) assert.deepEqual(await history(), first)
})

test('fake timers of a test runner are no hindrance', async (t) => {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'setImmediate', 'Date'] })
  t.after(() => mock.timers.reset())
  const redlock = open(t)
  for (let i = 0; i < 50; i += 1) await redlock.withLock('key', 1000, () => i)
  const lock = await redlock.acquire('key', 1000)
  await redlock.advance(1000)
  assert.equal(lock.isHeld, false)
})
