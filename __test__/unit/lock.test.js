'use strict'

const assert = require('node:assert/strict')
const { inspect } = require('node:util')
const { test } = require('node:test')
const { held, deliver, record } = require('./support/fake-native')
const { LockLostError } = require('../../js/errors')
const { refuses } = require('./support/refuses')

test('release asks once and answers always the same', async () => {
  const { lock, engine } = await held()
  const first = lock.release()
  assert.equal(lock.release(), first)
  assert.deepEqual([lock.isHeld, lock.remaining], [false, 0])
  assert.equal(engine.count('release'), 1)
  engine.answer(0, record.RELEASED)
  await deliver()
  assert.equal(await first, 'released')
  assert.equal(await lock.release(), 'released')
  assert.equal(await lock[Symbol.asyncDispose](), undefined)
  assert.equal(engine.count('release'), 1)
})

for (const [code, result] of [
  [0, 'released'],
  [1, 'expired'],
  [2, 'unknown'],
]) {
  test(`release: ${result}`, async () => {
    const { lock, engine } = await held()
    const released = lock.release()
    engine.answer(0, record.RELEASED, { code })
    await deliver()
    assert.equal(await released, result)
  })
}

test('a handle stays readable after its release', async () => {
  const { lock, engine } = await held()
  const { id } = lock
  lock.release()
  engine.answer(0, record.RELEASED)
  await deliver()
  assert.deepEqual([lock.key, lock.id, lock.ttl, lock.isHeld, lock.remaining], ['key', id, 5000, false, 0])
  assert.equal(lock.votes.length, 2)
  assert.equal(lock.signal.aborted, false)
  assert.match(inspect(lock), /^Lock \{.*key: 'key'/s)
})

test('extend', async () => {
  const { lock, engine } = await held()
  const extended = lock.extend(7000)
  engine.answer(0, record.EXTENDED, { ttl: 7000 })
  await deliver()
  assert.equal(await extended, undefined)
  assert.equal(lock.ttl, 7000)
  const again = lock.extend()
  assert.deepEqual(engine.asked.at(-1), ['extend', 0, 7000])
  engine.answer(0, record.EXTENDED, { ttl: 7000 })
  await deliver()
  await again
})

test('extensions that overlap are asked one after the other', async () => {
  const { lock, engine } = await held()
  const all = [100, 200, 300].map((ttl) => lock.extend(ttl))
  for (const ttl of [100, 200, 300]) {
    assert.deepEqual(engine.asked.at(-1), ['extend', 0, ttl])
    if (ttl === 200) engine.answer(0, record.EXTEND_FAILED)
    else engine.answer(0, record.EXTENDED, { ttl })
    await deliver()
  }
  assert.deepEqual(
    (await Promise.allSettled(all)).map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
})

test('extend with a bad ttl asks nothing', async () => {
  const { lock, engine } = await held({ maxTtl: 9000 })
  const wanted = 'ttl must be an integer between 10 and 9000 (maxTtl), in milliseconds; got'
  await refuses(() => lock.extend(9001), 'ERR_OUT_OF_RANGE', `${wanted} 9001`)
  await refuses(() => lock.extend('9'), 'ERR_INVALID_ARG_TYPE', `${wanted} "9"`)
  assert.equal(engine.count('extend'), 0)
})

test('extend is refused: the reason is what is known by then', async () => {
  for (const [left, lost, reason] of [
    [0, null, 'expired'],
    [100, null, 'gone'],
    [0, 3, 'stalled'],
  ]) {
    const { lock, engine } = await held()
    const extended = lock.extend()
    engine.left.set(0, left)
    engine.answer(0, record.EXTEND_FAILED)
    if (lost !== null) engine.answer(0, record.LOST, { code: lost })
    await deliver()
    await assert.rejects(extended, (error) => error instanceof LockLostError && error.reason === reason)
  }
})

test('answers nobody waits for change nothing', async () => {
  const { lock, engine } = await held()
  engine.answer(0, record.EXTEND_FAILED)
  engine.answer(0, record.EXTENDED, { ttl: 5000 })
  await deliver()
  assert.equal(lock.isHeld, true)
})

test('a release that native code refuses is unknown, never an error', async (t) => {
  const { lock, engine } = await held()
  const warned = t.mock.method(process, 'emitWarning', () => {})
  engine.release = () => {
    throw new Error('broken')
  }
  assert.equal(await lock.release(), 'unknown')
  assert.equal(warned.mock.callCount(), 1)
})

test('extend after release, and release during extend', async () => {
  const { lock, engine } = await held()
  const during = lock.extend()
  lock.release()
  engine.answer(0, record.RELEASED)
  await deliver()
  await assert.rejects(during, { code: 'ERR_LOCK_LOST', reason: 'released' })
  await assert.rejects(lock.extend(), { code: 'ERR_LOCK_LOST', reason: 'released' })
  assert.equal(engine.count('extend'), 1)
})

test('lost: the signal, the event, and the answers afterwards', async () => {
  const { redlock, lock, engine } = await held()
  const seen = []
  redlock.on('lost', (event) => seen.push(['event', event, lock.signal.aborted]))
  const { signal } = lock
  signal.addEventListener('abort', () => seen.push(['signal']))
  const votes = [{ node: 1, vote: 2, code: 'TIMEOUT', message: 'no answer' }]
  engine.answer(0, record.LOST, { code: 1, detail: { attempts: 1, votes } })
  await deliver()
  assert.deepEqual(seen, [['signal'], ['event', { key: 'key', id: lock.id, reason: 'gone' }, true]])
  assert.ok(signal.reason instanceof LockLostError)
  assert.deepEqual([signal.reason.reason, signal.reason.key, signal.reason.attempts], ['gone', 'key', 1])
  assert.deepEqual(signal.reason.votes, [{ node: 'b:6379', vote: 'faulted', code: 'TIMEOUT', message: 'no answer' }])
  assert.equal(lock.isHeld, false)
  await assert.rejects(lock.extend(), { reason: 'gone' })
  const released = lock.release()
  assert.equal(engine.count('release'), 1)
  engine.answer(0, record.RELEASED, { code: 1 })
  await deliver()
  assert.equal(await released, 'expired')
})

test('a signal that is asked for after the loss is aborted at once', async () => {
  const { lock, engine } = await held()
  engine.answer(0, record.LOST, { code: 2 })
  await deliver()
  assert.equal(lock.signal.aborted, true)
  assert.equal(lock.signal.reason.reason, 'maxHold')
})

test('a signal that is asked for when the validity has ended, before the record of it: once lost, told once', async () => {
  const { redlock, lock, engine } = await held()
  const events = []
  redlock.on('lost', ({ reason }) => events.push(reason))
  engine.left.set(0, 0)
  const { signal } = lock
  assert.equal(signal.aborted, true)
  assert.equal(signal.reason.reason, 'expired')
  const { reason } = signal
  engine.answer(0, record.LOST, { code: 0 })
  await deliver()
  assert.equal(signal.reason, reason)
  assert.deepEqual(events, ['expired'])
})

test('a loss after release() is no news', async () => {
  const { redlock, lock, engine } = await held()
  redlock.on('lost', () => assert.fail('told'))
  const { signal } = lock
  lock.release()
  engine.answer(0, record.LOST, { code: 0 })
  engine.answer(0, record.RELEASED, { code: 1 })
  await deliver()
  assert.equal(signal.aborted, false)
})
