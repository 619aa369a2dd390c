'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { open, quiet, deliver, settled, record } = require('./support/fake-native')
const { QuorumUnavailableError } = require('../../js/errors')
const { refuses } = require('./support/refuses')

const detail = { attempts: 1, votes: [] }

/** A lock object that holds slot 0. */
async function taken(options) {
  const { redlock, engine } = open()
  const lock = redlock.createLock('job', options)
  const asked = lock.tryAcquire()
  await settled()
  engine.grant(0)
  await deliver()
  assert.equal(await asked, true)
  return { redlock, engine, lock }
}

test('taken, extended, released, taken again', async () => {
  const { engine, lock } = await taken()
  assert.deepEqual([lock.resource, lock.isHeld], ['job', true])
  assert.deepEqual(engine.asked, [['acquire', 'job', 5000, 2]])
  const extended = lock.extend()
  engine.answer(0, record.EXTENDED, { ttl: 5000 })
  await deliver()
  assert.equal(await extended, true)
  const released = lock.release()
  assert.equal(lock.isHeld, false)
  await settled()
  engine.answer(0, record.RELEASED)
  await deliver()
  assert.equal(await released, undefined)
  const again = lock.tryAcquire()
  await settled()
  engine.grant(0)
  await deliver()
  assert.equal(await again, true)
})

test('options of the object', async () => {
  const { engine } = await taken({ ttl: 700, renew: true })
  assert.deepEqual(engine.asked, [['acquire', 'job', 700, 3]])
})

test('contended: false, at once or after the timeout', async () => {
  const { redlock, engine } = open()
  const lock = redlock.createLock(['a', 'b'])
  for (const [timeout, flags] of [
    [0, 2],
    [300, 0],
  ]) {
    const asked = lock.tryAcquire(timeout)
    await settled()
    const [method, keys, ttl, given, retry] = engine.asked.at(-1)
    assert.deepEqual(
      [method, keys, ttl, given, retry.wait],
      ['acquireWith', ['a', 'b'], 5000, flags, timeout === 0 ? undefined : 300],
    )
    engine.answer(0, record.CONTENDED, { detail })
    await deliver()
    assert.equal(await asked, false)
    assert.equal(lock.isHeld, false)
  }
})

test('no quorum: an error', async () => {
  const { redlock, engine } = open()
  const asked = quiet(redlock.createLock('job').tryAcquire(100))
  await settled()
  engine.answer(0, record.UNAVAILABLE, { detail })
  await deliver()
  await assert.rejects(asked, QuorumUnavailableError)
})

test('aborted: the reason', async () => {
  const { redlock } = open()
  const controller = new AbortController()
  const asked = redlock.createLock('job').tryAcquire(1000, { signal: controller.signal })
  await settled()
  controller.abort('mine')
  await assert.rejects(asked, (error) => error === 'mine')
})

test('one lock at a time', async () => {
  const { redlock, lock } = await taken()
  await assert.rejects(lock.tryAcquire(), { code: 'ERR_LOCK_CONTENDED', reentrant: true, message: /holds it already/ })
  const other = redlock.createLock('other')
  other.tryAcquire()
  await assert.rejects(other.tryAcquire(), {
    code: 'ERR_LOCK_CONTENDED',
    reentrant: true,
    message: /is being acquired/,
  })
})

test('lost: extend says so, and it can be taken again after being given back', async () => {
  const { engine, lock } = await taken()
  engine.left.set(0, 0)
  engine.answer(0, record.LOST, { code: 0 })
  await deliver()
  assert.equal(lock.isHeld, false)
  assert.equal(await lock.extend(), false)
  const again = lock.tryAcquire()
  await settled()
  assert.deepEqual(engine.asked.at(-1), ['release', 0])
  engine.answer(0, record.RELEASED, { code: 1 })
  await deliver()
  assert.deepEqual(engine.asked.at(-1), ['acquire', 'job', 5000, 2])
  engine.grant(0)
  await deliver()
  assert.equal(await again, true)
})

test('release and extend without a lock do nothing', async () => {
  const { redlock, engine } = open()
  const lock = redlock.createLock('job')
  assert.equal(await lock.release(), undefined)
  assert.equal(await lock.extend(), false)
  assert.equal(await lock[Symbol.asyncDispose](), undefined)
  assert.deepEqual(engine.asked, [])
})

test('release during an attempt gives back what it took', async () => {
  const { redlock, engine } = open()
  const lock = redlock.createLock('job')
  const asked = lock.tryAcquire()
  const released = lock.release()
  await settled()
  engine.grant(0)
  await deliver()
  assert.deepEqual(engine.asked.at(-1), ['release', 0])
  engine.answer(0, record.RELEASED)
  await deliver()
  await Promise.all([asked, released])
  assert.equal(lock.isHeld, false)
})

test('bad input', async () => {
  const { redlock, engine } = open()
  const names = 'options must only have the names ttl, renew, retryDelay, retryDelayMax; got "wait"'
  await refuses(() => redlock.createLock('job', { wait: 1 }), 'ERR_INVALID_ARG_VALUE', names)
  await refuses(
    () => redlock.createLock(''),
    'ERR_INVALID_ARG_VALUE',
    'key must be a string of 1 to 512 UTF-8 bytes; got ""',
  )
  const ttl = 'ttl must be an integer between 10 and 60000 (maxTtl), in milliseconds; got 1'
  await refuses(() => redlock.createLock('job', { ttl: 1 }), 'ERR_OUT_OF_RANGE', ttl)
  const lock = redlock.createLock('job')
  const timeout = 'timeout must be an integer between 0 and 2147483647, in milliseconds; got -1'
  await refuses(() => lock.tryAcquire(-1), 'ERR_OUT_OF_RANGE', timeout)
  await refuses(
    () => lock.tryAcquire(0, { ttl: 1 }),
    'ERR_INVALID_ARG_VALUE',
    'options must only have the names signal; got "ttl"',
  )
  const duration = 'duration must be an integer between 10 and 60000 (maxTtl), in milliseconds; got 5'
  await refuses(() => lock.extend(5), 'ERR_OUT_OF_RANGE', duration)
  assert.deepEqual(engine.asked, [])
})
