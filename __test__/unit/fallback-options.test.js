'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { parseOptions } = require('../../js/options')
const { parseCallOptions } = require('../../js/call-options')

const parse = (options) => parseOptions({ nodes: 'redis://a', ...options }).fallback
const provider = { createLock() {}, withLock() {} }
const breaker = { failures: 3, probeInterval: 1000, successes: 2 }

test('nothing falls back, and nothing breaks, unless asked for; the breaker waits for a call with a fallback', () => {
  const none = { to: 'throw', after: 1000, breaker, breaksAll: false }
  assert.deepEqual(parse({}), none)
  assert.deepEqual(parse({ fallback: 'throw', breaker: undefined }), none)
  assert.deepEqual(parse({ breaker: false }), { ...none, breaker: null })
})

test('with a fallback the breaker is on, without one it may be', () => {
  assert.deepEqual(parse({ fallback: 'local' }), { to: 'local', after: 1000, breaker, breaksAll: true })
  assert.equal(parse({ fallback: provider }).to, provider)
  assert.deepEqual(parse({ fallback: 'local', breaker: false }), {
    ...{ to: 'local', after: 1000, breaker: null, breaksAll: false },
  })
  assert.deepEqual(parse({ breaker: {} }), { to: 'throw', after: 1000, breaker, breaksAll: true })
  const mine = { failures: 1, probeInterval: 0, successes: 5 }
  assert.deepEqual(parse({ breaker: mine, fallbackAfter: 0 }), {
    to: 'throw',
    after: 0,
    breaker: mine,
    breaksAll: true,
  })
})

for (const [options, message] of [
  [
    { fallback: 'memory' },
    "fallback must be 'throw', 'local' or a LockProvider (an object with createLock and withLock); got \"memory\"",
  ],
  [
    { fallback: null },
    "fallback must be 'throw', 'local' or a LockProvider (an object with createLock and withLock); got null",
  ],
  [
    { fallback: {} },
    "fallback must be 'throw', 'local' or a LockProvider (an object with createLock and withLock); got an object",
  ],
  [{ fallbackAfter: -1 }, 'fallbackAfter must be an integer between 0 and 2147483647, in milliseconds; got -1'],
  [{ breaker: true }, 'breaker must be false or an object like { failures, probeInterval, successes }; got true'],
  [{ breaker: { fail: 1 } }, 'breaker must only have the names failures, probeInterval, successes; got "fail"'],
  [{ breaker: { failures: 0 } }, 'breaker.failures must be an integer between 1 and 1000000; got 0'],
  [{ breaker: { successes: 0 } }, 'breaker.successes must be an integer between 1 and 1000000; got 0'],
  [
    { breaker: { probeInterval: '1' } },
    'breaker.probeInterval must be an integer between 0 and 2147483647, in milliseconds; got "1"',
  ],
]) {
  test(`refused: ${message}`, () => assert.throws(() => parse(options), { message }))
}

test('a call has its own fallback and time, and no breaker', () => {
  const settings = parseOptions({ nodes: 'redis://a' })
  const call = parseCallOptions({ fallback: provider, fallbackAfter: 5 }, settings, false)
  assert.equal(call.fallback, provider)
  assert.equal(call.after, 5)
  assert.throws(() => parseCallOptions({ fallback: 'none' }, settings, false), TypeError)
  assert.throws(() => parseCallOptions({ fallbackAfter: 1.5 }, settings, false), RangeError)
  assert.throws(() => parseCallOptions({ breaker: {} }, settings, false), /options must only have the names/)
})
