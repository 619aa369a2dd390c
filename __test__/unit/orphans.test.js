'use strict'

const assert = require('node:assert/strict')
const { setFlagsFromString } = require('node:v8')
const { runInNewContext } = require('node:vm')
const { test } = require('node:test')
const { until } = require('../support/until')
const { held, open, deliver, settled, record } = require('./support/fake-native')

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc')

/** Collects until `done()`, at most a hundred times. What `done` looks at is not collected in the same turn. */
async function collectUntil(done) {
  for (let i = 0; i < 100 && !done(); i += 1) {
    await settled()
    gc()
    await settled()
  }
  assert.ok(done(), 'not collected')
}

/** Lets handles grow old: they are looked at once a second. */
async function age(t) {
  for (let i = 0; i < 3; i += 1) t.mock.timers.tick(1000)
  await settled()
}

// First in this file: the report comes once per process.
test('a handle that nobody released is released when it is collected, and reported once', async (t) => {
  const told = []
  t.mock.method(process, 'emitWarning', (message, options) => {
    if (options?.type === 'QuorlockWarning') told.push({ message, code: options.code })
  })
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { redlock, engine } = open()
  for (const [slot, key] of ['first', 'second'].entries()) {
    await (async () => {
      const asked = redlock.acquire(key, 1000)
      engine.grant(slot)
      await deliver()
      await asked
    })()
  }
  await age(t)
  await collectUntil(() => engine.count('release') === 2)
  for (const slot of [0, 1]) engine.answer(slot, record.RELEASED)
  await deliver()
  assert.equal(redlock.stats().unreleased, 2)
  assert.equal(told.length, 1)
  assert.equal(told[0].code, 'QUORLOCK_UNRELEASED')
  assert.match(told[0].message, /^a lock of "(first|second)" was garbage-collected without release\(\)/)
})

test('an old handle that is still known works as before', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { redlock, lock, engine } = await held()
  await age(t)
  gc()
  await settled()
  const events = []
  redlock.on('lost', ({ reason }) => events.push(reason))
  const extended = lock.extend(7000)
  engine.answer(0, record.EXTENDED, { ttl: 7000 })
  await deliver()
  await extended
  await age(t)
  engine.answer(0, record.LOST, { code: 0 })
  await deliver()
  assert.deepEqual(events, ['expired'])
  assert.equal(lock.signal.aborted, true)
  await age(t)
  const released = lock.release()
  engine.answer(0, record.RELEASED, { code: 1 })
  await deliver()
  assert.equal(await released, 'expired')
  await collectUntil(() => true)
  assert.equal(redlock.stats().unreleased, 0)
})

test('the signal of a handle keeps the handle', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { engine, signal } = await (async () => {
    const { engine, lock } = await held()
    return { engine, signal: lock.signal }
  })()
  await age(t)
  for (let i = 0; i < 5; i += 1) {
    gc()
    await settled()
  }
  assert.equal(engine.count('release'), 0)
  engine.answer(0, record.LOST, { code: 0 })
  await deliver()
  assert.equal(signal.aborted, true)
})

test('close() takes away what was collected but not noticed yet, too', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { redlock, engine } = await (async () => {
    const { redlock, engine } = await held()
    return { redlock, engine }
  })()
  await age(t)
  gc()
  const closed = redlock.close({ timeout: 0 })
  t.mock.timers.tick(1)
  await settled()
  assert.equal(engine.count('release'), 1)
  engine.answer(0, record.RELEASED)
  await deliver()
  await closed
})

/** An instance that only `use` knows, and a reference that ends with it: its settings hold the password function. */
async function dropped(use = () => {}) {
  const password = () => 's3cret'
  const ref = new WeakRef(password)
  const { redlock, engine } = open({ nodes: [{ host: 'a', password }] })
  const kept = await use(redlock, engine)
  return { ref, engine, kept }
}

/** Enough collections to be sure that what is still there is held. */
async function collect() {
  for (let i = 0; i < 5; i += 1) {
    await settled()
    gc()
  }
}

test('an idle instance that nobody knows any more is collected', async () => {
  const { ref } = await dropped()
  await collectUntil(() => ref.deref() === undefined)
})

test('an instance with a call that waits is kept until the call has ended', async () => {
  const { ref, engine, kept } = await dropped((redlock) => [redlock.tryAcquire('key', 1000)])
  await collect()
  assert.notEqual(ref.deref(), undefined)
  engine.answer(0, record.CONTENDED, { detail: { attempts: 1, votes: [] } })
  await deliver()
  assert.equal(await kept[0], null)
  await collectUntil(() => ref.deref() === undefined)
})

test('an instance that holds a lock is kept until the release', async () => {
  const { ref, engine, kept } = await dropped(async (redlock, engine) => {
    const asked = redlock.acquire('key', 1000)
    engine.grant(0)
    await deliver()
    return [await asked]
  })
  await collect()
  assert.notEqual(ref.deref(), undefined)
  kept.pop().release()
  engine.answer(0, record.RELEASED)
  await deliver()
  // what was granted lately is looked at once more, a second or two later
  const collected = async () => {
    await collect()
    return ref.deref() === undefined
  }
  await until(collected, { deadline: 20_000, every: 100 })
})

test('an instance that is listened to is kept, though nobody knows it', async () => {
  const { ref } = await dropped((redlock) => {
    redlock.on('nodeDown', () => {})
  })
  await collect()
  assert.notEqual(ref.deref(), undefined)
})

test('an instance that is not listened to any more is collected', async () => {
  const { ref } = await dropped(async (redlock) => {
    const listener = () => {}
    redlock.on('nodeDown', listener)
    await settled()
    redlock.off('nodeDown', listener)
  })
  await collectUntil(() => ref.deref() === undefined)
})
