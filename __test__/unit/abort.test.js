'use strict'

const assert = require('node:assert/strict')
const { getEventListeners } = require('node:events')
const { test } = require('node:test')
const { open, quiet, deliver, settled, record } = require('./support/fake-native')

const listeners = (signal) => getEventListeners(signal, 'abort').length

test('aborted before the call: nothing is asked', async () => {
  const { redlock, engine } = open()
  const reason = { mine: true }
  const signal = AbortSignal.abort(reason)
  for (const call of [
    () => redlock.acquire('key', 1000, { signal }),
    () => redlock.tryAcquire('key', 1000, { signal }),
    () => redlock.withLock('key', 1000, () => assert.fail('called'), { signal }),
    () => redlock.connect({ signal }),
  ]) {
    await assert.rejects(call, (error) => error === reason)
  }
  assert.deepEqual(engine.asked, [])
})

test('aborted while waiting: rejects at once with the very reason, and native code is told', async () => {
  const { redlock, engine } = open()
  const controller = new AbortController()
  const asked = redlock.acquire('key', 1000, { signal: controller.signal })
  await settled()
  const reason = new Error('mine')
  controller.abort(reason)
  await assert.rejects(asked, (error) => error === reason)
  await settled()
  assert.deepEqual(engine.asked.at(-1), ['cancel', 0])
  assert.equal(engine.flushes, 2)
  assert.equal(listeners(controller.signal), 0)
  engine.answer(0, record.CANCELLED)
  await deliver()
})

for (const [name, kind] of [
  ['contention', record.CONTENDED],
  ['unavailability', record.UNAVAILABLE],
]) {
  test(`${name} that crosses an abort is dropped`, async () => {
    const { redlock, engine } = open()
    const controller = new AbortController()
    const asked = redlock.acquire('key', 1000, { signal: controller.signal })
    controller.abort()
    await assert.rejects(asked, { name: 'AbortError' })
    engine.answer(0, kind, { detail: { attempts: 1, votes: [] } })
    await deliver()
    const again = redlock.acquire('key', 1000)
    engine.grant(0)
    await deliver()
    assert.equal((await again).key, 'key')
  })
}

test('a grant that crosses an abort is given back', async () => {
  const { redlock, engine } = open()
  const controller = new AbortController()
  const asked = redlock.acquire('key', 1000, { signal: controller.signal })
  controller.abort()
  await assert.rejects(asked, { name: 'AbortError' })
  engine.grant(0)
  await deliver()
  assert.deepEqual(engine.asked.at(-1), ['release', 0])
  engine.answer(0, record.RELEASED)
  await deliver()
})

test('a signal listener is removed when the call settles', async () => {
  const { redlock, engine } = open()
  const { signal } = new AbortController()
  const granted = redlock.acquire('a', 1000, { signal })
  const refused = quiet(redlock.acquire('b', 1000, { signal }))
  assert.equal(listeners(signal), 1)
  engine.grant(0)
  await deliver()
  await granted
  assert.equal(listeners(signal), 1)
  engine.answer(1, record.CONTENDED, { detail: { attempts: 1, votes: [] } })
  await deliver()
  await assert.rejects(refused)
  assert.equal(listeners(signal), 0)
})

test('one signal for a thousand calls is one listener, and ends them all', async (t) => {
  const { redlock, engine } = open()
  const warned = t.mock.method(process, 'emitWarning', () => {})
  const controller = new AbortController()
  const asked = Array.from({ length: 1000 }, (_, i) => redlock.acquire(`k${i}`, 1000, { signal: controller.signal }))
  assert.equal(listeners(controller.signal), 1)
  controller.abort('enough')
  const reasons = await Promise.allSettled(asked)
  assert.ok(reasons.every(({ reason }) => reason === 'enough'))
  assert.equal(engine.count('cancel'), 1000)
  assert.equal(warned.mock.callCount(), 0)
})

test('a lock that is held does not hear the signal of its acquire', async () => {
  const { redlock, engine } = open()
  const controller = new AbortController()
  const asked = redlock.acquire('key', 1000, { signal: controller.signal })
  engine.grant(0)
  await deliver()
  controller.abort()
  assert.equal((await asked).isHeld, true)
  assert.equal(engine.count('cancel'), 0)
})

test('an abort without a reason', async () => {
  const { redlock } = open()
  const polyfill = { aborted: true, addEventListener() {}, removeEventListener() {} }
  await assert.rejects(redlock.acquire('key', 1000, { signal: polyfill }), { name: 'AbortError' })
})
