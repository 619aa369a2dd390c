'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { open, held, quiet, deliver, settled, record } = require('./support/fake-native')
const { MAX_MS } = require('../../js/argument')
const { LockLostError, RedlockClosedError } = require('../../js/errors')
const { refuses } = require('./support/refuses')

test('with nothing to do', async () => {
  const { redlock, engine } = open()
  const closed = redlock.close()
  assert.equal(redlock.close({ timeout: 1 }), closed)
  await closed
  assert.equal(engine.isClosed, true)
  assert.deepEqual(redlock.locks(), [])
  assert.deepEqual(
    redlock.stats().nodes.map(({ state }) => state),
    ['closed', 'closed', 'closed'],
  )
})

test('the connections stay until all nodes have answered, at most for the node timeout', async () => {
  const slow = open()
  slow.engine.looks = 3
  await slow.redlock.close()
  assert.equal(slow.engine.looks, -1)
  const silent = open({ nodeTimeout: 20 })
  silent.engine.looks = Number.MAX_SAFE_INTEGER
  await silent.redlock.close()
  assert.ok(silent.engine.isClosed && silent.engine.looks > 0)
})

test('new calls are refused from the first moment', async () => {
  const { redlock, engine } = await held()
  const closed = redlock.close()
  const asked = engine.asked.length
  for (const call of [
    redlock.acquire('a', 1000),
    redlock.tryAcquire('a', 1000),
    redlock.withLock('a', 1000, () => assert.fail('called')),
    redlock.createLock('a').tryAcquire(),
    redlock.connect(),
    redlock.inspect('a'),
  ]) {
    await assert.rejects(call, RedlockClosedError)
  }
  assert.equal(engine.asked.length, asked)
  assert.equal(engine.isClosed, false)
  redlock.close()
  void closed
})

test('those who wait are told at once', async () => {
  const { redlock, engine } = open()
  const waiting = [
    redlock.acquire('a', 1000),
    redlock.tryAcquire('b', 1000),
    redlock.withLock('c', 1000, () => {}),
  ].map(quiet)
  const questions = [redlock.connect(), redlock.inspect('d')].map(quiet)
  const closed = redlock.close()
  for (const one of [...waiting, ...questions]) await assert.rejects(one, RedlockClosedError)
  assert.equal(engine.count('cancel'), 4)
  for (const slot of [0, 1, 2]) engine.answer(slot, record.CANCELLED)
  await deliver()
  await closed
})

test('a handle that is held may still be extended and released', async () => {
  const { redlock, lock, engine } = await held()
  const closed = redlock.close({ timeout: 60_000 })
  const extended = lock.extend(7000)
  engine.answer(0, record.EXTENDED, { ttl: 7000 })
  await deliver()
  await extended
  assert.equal(engine.isClosed, false)
  const released = lock.release()
  engine.answer(0, record.RELEASED)
  await deliver()
  assert.equal(await released, 'released')
  await closed
  assert.equal(engine.isClosed, true)
})

test('a running section may end', async () => {
  const { redlock, engine } = open()
  let finish
  const section = redlock.withLock('key', 1000, () => new Promise((resolve) => (finish = resolve)))
  engine.grant(0)
  await deliver()
  const closed = redlock.close({ timeout: 60_000 })
  await settled()
  assert.equal(engine.count('release'), 0)
  finish(7)
  await settled()
  engine.answer(0, record.RELEASED)
  await deliver()
  assert.equal(await section, 7)
  await closed
})

test('handles whose validity has ended are not waited for, and given back', async () => {
  const { redlock, lock, engine } = await held()
  const second = redlock.acquire('second', 5000)
  engine.grant(1)
  await deliver()
  await second
  const events = []
  redlock.on('lost', ({ key, reason }) => events.push({ key, reason }))
  engine.left.set(0, 0)
  engine.answer(1, record.LOST, { code: 1, detail: { votes: [] } })
  await deliver()
  const closed = redlock.close({ timeout: MAX_MS })
  await settled()
  assert.equal(engine.count('release'), 2)
  // The record of the first one's loss had not come yet: it is told once all the same, for the reason it was lost for.
  engine.answer(0, record.LOST, { detail: { votes: [] } })
  for (const slot of [0, 1]) engine.answer(slot, record.RELEASED, { code: 1 })
  await deliver()
  await closed
  assert.deepEqual(events, [
    { key: 'second', reason: 'gone' },
    { key: 'key', reason: 'expired' },
  ])
  assert.equal(lock.signal.reason.reason, 'expired')
  assert.equal(await lock.release(), 'expired')
})

test('handles that are lost meanwhile are not waited for any longer', async () => {
  const { redlock, engine } = await held()
  const second = redlock.acquire('second', 5000)
  engine.grant(1)
  await deliver()
  await second
  const closed = redlock.close({ timeout: MAX_MS })
  for (const [slot, releases] of [
    [0, 0],
    [1, 2],
  ]) {
    engine.left.set(slot, 0)
    engine.answer(slot, record.LOST, { detail: { votes: [] } })
    await deliver()
    assert.equal(engine.count('release'), releases)
  }
  for (const slot of [0, 1]) engine.answer(slot, record.RELEASED, { code: 1 })
  await deliver()
  await closed
})

test('a section that has lost its lock may end, too', async () => {
  const { redlock, engine } = open()
  let finish
  const section = redlock.withLock('key', 1000, () => new Promise((resolve) => (finish = resolve)))
  engine.grant(0)
  await deliver()
  const closed = redlock.close({ timeout: MAX_MS })
  engine.left.set(0, 0)
  engine.answer(0, record.LOST, { detail: { votes: [] } })
  await deliver()
  assert.equal(engine.count('release'), 0)
  finish(7)
  await settled()
  engine.answer(0, record.RELEASED, { code: 1 })
  await deliver()
  assert.equal(await section, 7)
  await closed
})

test('a section that has given its lock back is not waited for', async () => {
  const { redlock, engine } = open()
  let finish
  const section = redlock.withLock('key', 1000, (lock) => {
    void lock.release()
    return new Promise((resolve) => (finish = resolve))
  })
  engine.grant(0)
  await deliver()
  const closed = redlock.close({ timeout: MAX_MS })
  engine.answer(0, record.RELEASED)
  await deliver()
  await closed
  finish(7)
  assert.equal(await section, 7)
})

test('what is left after the timeout is taken away, and told', async () => {
  const { redlock, lock, engine } = await held()
  const events = []
  redlock.on('lost', ({ key, reason }) => events.push({ key, reason }))
  const { signal } = lock
  const closed = redlock.close({ timeout: 5 })
  await new Promise((resolve) => signal.addEventListener('abort', resolve))
  assert.ok(signal.reason instanceof LockLostError)
  assert.equal(signal.reason.reason, 'closed')
  await settled()
  assert.deepEqual(events, [{ key: 'key', reason: 'closed' }])
  assert.equal(engine.count('release'), 1)
  assert.equal(engine.isClosed, false)
  engine.answer(0, record.RELEASED)
  await deliver()
  await closed
  assert.equal(await lock.release(), 'released')
  await assert.rejects(lock.extend(), { code: 'ERR_LOCK_LOST', reason: 'closed' })
  assert.equal(engine.isClosed, true)
})

test('a release that is never answered is unknown in the end', async (t) => {
  const { redlock, lock, engine } = await held({ nodeTimeout: 1 })
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const closed = redlock.close({ timeout: 0 })
  t.mock.timers.tick(1)
  await settled()
  const released = lock.release()
  t.mock.timers.tick(1001)
  await closed
  assert.equal(engine.isClosed, true)
  assert.equal(await released, 'unknown')
})

test('a section that would have to ask again gives up', async () => {
  const { redlock, engine } = open()
  const section = quiet(redlock.withLock('key', 1000, () => assert.fail('called'), { wait: 60_000 }))
  engine.grant(0, { left: 0 })
  await deliver()
  const closed = redlock.close()
  engine.answer(0, record.RELEASED, { code: 1 })
  await deliver()
  await assert.rejects(section, RedlockClosedError)
  await closed
})

test('bad input', async () => {
  const { redlock } = open()
  const message = 'timeout must be an integer between 0 and 2147483647, in milliseconds; got -1'
  await refuses(() => redlock.close({ timeout: -1 }), 'ERR_OUT_OF_RANGE', message)
  const names = 'options must only have the names timeout; got "wait"'
  await refuses(() => redlock.close({ wait: 1 }), 'ERR_INVALID_ARG_VALUE', names)
})
