'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { open, quiet, deliver, settled, record } = require('./support/fake-native')
const { LockContendedError, QuorumUnavailableError } = require('../../js/errors')
const { refuses } = require('./support/refuses')

const detail = {
  attempts: 3,
  retryAfter: 99.5,
  votes: [
    { node: 0, vote: 1, remaining: 99.5 },
    { node: 2, vote: 2, code: 'TIMEOUT' },
  ],
}

test('one burst of calls is sent once', async () => {
  const { redlock, engine } = open()
  for (const key of ['a', 'b', 'c']) redlock.acquire(key, 1000)
  assert.equal(engine.flushes, 0)
  await settled()
  assert.equal(engine.flushes, 1)
  assert.deepEqual(engine.asked, [
    ['acquire', 'a', 1000, 0],
    ['acquire', 'b', 1000, 0],
    ['acquire', 'c', 1000, 0],
  ])
})

test('flags and settings reach the engine', async () => {
  const { redlock, engine } = open({ wait: 700 })
  const retry = { retryCount: 10, retryDelay: 50, retryDelayMax: 1000 }
  redlock.tryAcquire('a', 1000)
  redlock.acquire('a', 1000, { renew: true })
  redlock.acquire('a', 1000, {})
  redlock.acquire('a', 1000, { wait: 5 })
  redlock.acquire('a', 1000, { retryCount: 3 })
  redlock.tryAcquire(['b', 'a', 'b'], 1000)
  assert.deepEqual(engine.asked, [
    ['acquire', 'a', 1000, 2],
    ['acquire', 'a', 1000, 1],
    ['acquire', 'a', 1000, 0],
    ['acquireWaiting', 'a', 1000, 0, { ...retry, wait: 5 }],
    ['acquireWaiting', 'a', 1000, 0, { ...retry, retryCount: 3, wait: -1 }],
    ['acquireWith', ['b', 'a'], 1000, 2, { ...retry, wait: 700 }],
  ])
})

test('the handle of a grant', async () => {
  const { redlock, engine } = open()
  const keys = ['b', 'a']
  const asked = redlock.acquire(keys, 1000)
  keys.push('c')
  engine.grant(0, { ttl: 1000, attempts: 4, votes: [0x321, 0], id: [0x01020304, -1, 0, 0x7fffffff], left: 12.5 })
  await deliver()
  const lock = await asked
  assert.deepEqual(lock.key, ['b', 'a'])
  assert.ok(Object.isFrozen(lock.key))
  assert.equal(lock.id, '01020304ffffffff000000007fffffff')
  assert.deepEqual([lock.ttl, lock.attempts, lock.isHeld, lock.remaining], [1000, 4, true, 12.5])
  assert.deepEqual(lock.votes, [
    { node: 'a:6379', vote: 'granted' },
    { node: 'b:6379', vote: 'refused' },
    { node: 'c:6379', vote: 'faulted', code: 'TIMEOUT' },
  ])
  assert.equal(lock.votes, lock.votes)
  engine.left.set(0, 0)
  assert.deepEqual([lock.isHeld, lock.remaining], [false, 0])
})

test('contended: an error that names the asker, or null', async () => {
  const { redlock, engine } = open()
  async function placeOrder() {
    await redlock.acquire('key', 1000)
  }
  const asked = quiet(placeOrder())
  const tried = redlock.tryAcquire('key', 1000)
  engine.answer(0, record.CONTENDED, { detail })
  engine.answer(1, record.CONTENDED, { detail })
  await deliver()
  assert.equal(await tried, null)
  await assert.rejects(asked, (error) => {
    assert.ok(error instanceof LockContendedError)
    assert.deepEqual([error.key, error.attempts, error.retryAfter], ['key', 3, 100])
    assert.deepEqual(error.votes[1], { node: 'c:6379', vote: 'faulted', code: 'TIMEOUT' })
    assert.match(error.stack, /at async placeOrder/)
    return true
  })
})

test('unavailable: an error, for both', async () => {
  const { redlock, engine } = open()
  const asked = [redlock.acquire('key', 1000), redlock.tryAcquire('key', 1000)].map(quiet)
  for (const slot of [0, 1]) engine.answer(slot, record.UNAVAILABLE, { detail })
  await deliver()
  for (const one of asked) await assert.rejects(one, QuorumUnavailableError)
})

test('a failure without details is still a failure', async (t) => {
  const { redlock, engine } = open()
  const warned = t.mock.method(process, 'emitWarning', () => {})
  const asked = quiet(redlock.acquire('key', 1000))
  engine.answer(0, record.CONTENDED, { detail: new Error('broken') })
  await deliver()
  await assert.rejects(asked, LockContendedError)
  assert.equal(warned.mock.callCount(), 1)
})

test('one broken record loses none of the others', async (t) => {
  const { redlock, engine } = open()
  const warned = t.mock.method(process, 'emitWarning', () => {})
  const asked = redlock.acquire('key', 1000)
  engine.answer(77, 99)
  engine.answer(78, record.RELEASED)
  engine.grant(0)
  await deliver()
  assert.equal((await asked).key, 'key')
  assert.ok(warned.mock.callCount() >= 1)
})

test('with fencing the handle has a token, whatever its bits', async () => {
  const { redlock, engine } = open({ fencing: true })
  for (const [token, words] of [
    [1, [1, 0]],
    [2 ** 32 - 1, [-1, 0]],
    [2 ** 53 - 1, [-1, 0x1f_ffff]],
    [1_795_264_354_000_123, [1_795_264_354_000_123 | 0, Math.floor(1_795_264_354_000_123 / 2 ** 32)]],
  ]) {
    const asked = redlock.acquire('a', 1000)
    engine.grant(engine.next - 1, { token: words })
    await deliver()
    assert.equal((await asked).token, token)
  }
})

test('more records than one drain holds', async () => {
  const { redlock, engine } = open()
  const asked = Array.from({ length: 2500 }, (_, i) => redlock.acquire(`k${i}`, 1000))
  for (const slot of asked.keys()) engine.grant(slot)
  await deliver()
  const locks = await Promise.all(asked)
  assert.deepEqual(
    locks.map(({ key }) => key),
    asked.map((_, i) => `k${i}`),
  )
})

test('bad input rejects, before anything is asked', async () => {
  const { redlock, engine } = open({ maxTtl: 2000 })
  const ttl = 'ttl must be an integer between 10 and 2000 (maxTtl), in milliseconds; got'
  for (const method of ['acquire', 'tryAcquire', 'withLock']) {
    const fn = method === 'withLock' ? [() => {}] : []
    const call = (key, time, ...options) => redlock[method](key, time, ...fn, ...options)
    for (const [time, given] of [
      [9, '9'],
      [2001, '2001'],
      [10.5, '10.5'],
      [Number.NaN, 'NaN'],
      [-0, '-0'],
    ]) {
      await refuses(() => call('key', time), 'ERR_OUT_OF_RANGE', `${ttl} ${given}`)
    }
    for (const [time, given] of [
      ['1000', '"1000"'],
      [undefined, 'undefined'],
      [1000n, '1000n'],
      [null, 'null'],
      [{}, 'an object'],
    ]) {
      await refuses(() => call('key', time), 'ERR_INVALID_ARG_TYPE', `${ttl} ${given}`)
    }
    const key = 'key must be a string of 1 to 512 UTF-8 bytes'
    await refuses(() => call('', 1000), 'ERR_INVALID_ARG_VALUE', `${key}; got ""`)
    await refuses(() => call(7, 1000), 'ERR_INVALID_ARG_TYPE', `${key}, or an array of such strings; got 7`)
    await refuses(() => call('key', 1000, null), 'ERR_INVALID_ARG_TYPE', 'options must be an object; got null')
  }
  await refuses(() => redlock.withLock('key', 1000), 'ERR_INVALID_ARG_TYPE', 'fn must be a function; got undefined')
  await refuses(
    () => redlock.inspect(['key']),
    'ERR_INVALID_ARG_TYPE',
    'key must be a string of 1 to 512 UTF-8 bytes; got an array of 1',
  )
  assert.deepEqual(engine.asked, [])
})

test('methods return promises, they do not throw', async () => {
  const { redlock } = open()
  for (const promise of [
    redlock.acquire(),
    redlock.tryAcquire(),
    redlock.withLock(),
    redlock.inspect(),
    redlock.connect(7),
    redlock.close(7),
  ]) {
    await assert.rejects(promise, TypeError)
  }
})
