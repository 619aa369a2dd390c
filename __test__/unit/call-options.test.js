'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { parseCallOptions, parseWhenLost, totalWait } = require('../../js/call-options')
const { refuses } = require('./support/refuses')

const retry = { retryCount: 10, retryDelay: 50, retryDelayMax: 1000 }
const parse = (options, settings = { retry }) => parseCallOptions(options, settings, false)

test('nothing given: as the instance', () => {
  assert.deepEqual(parse({}), { retry: null, signal: null, renew: false, fallback: undefined, after: undefined })
  assert.deepEqual(parse({ wait: undefined, renew: undefined, signal: undefined, retryCount: undefined }), parse({}))
})

test('what a call says is stronger', () => {
  assert.deepEqual(parse({ wait: 0 }).retry, { ...retry, wait: 0 })
  assert.deepEqual(parse({ retryCount: 0 }).retry, { ...retry, retryCount: 0 })
  assert.deepEqual(parse({ retryDelay: 3000 }).retry, { ...retry, retryDelay: 3000, retryDelayMax: 3000 })
  assert.deepEqual(parse({ retryDelayMax: 20 }).retry, { ...retry, retryDelay: 20, retryDelayMax: 20 })
  assert.equal(parse({ renew: true }).renew, true)
})

test('a retryCount turns the wait of the instance off, a delay does not', () => {
  const waits = { retry: { ...retry, wait: 700 } }
  assert.deepEqual(parse({ retryCount: 2 }, waits).retry, { ...retry, retryCount: 2 })
  assert.deepEqual(parse({ retryDelay: 20 }, waits).retry, { ...retry, retryDelay: 20, wait: 700 })
  assert.deepEqual(parse({ retryCount: 2, wait: 9 }, waits).retry, { ...retry, retryCount: 2, wait: 9 })
})

for (const [options, code, message] of [
  [null, 'ERR_INVALID_ARG_TYPE', 'options must be an object; got null'],
  [5000, 'ERR_INVALID_ARG_TYPE', 'options must be an object; got 5000'],
  [{ wait: -1 }, 'ERR_OUT_OF_RANGE', 'wait must be an integer between 0 and 2147483647, in milliseconds; got -1'],
  [{ wait: '1' }, 'ERR_INVALID_ARG_TYPE', 'wait must be an integer between 0 and 2147483647, in milliseconds; got "1"'],
  [{ retryCount: -1 }, 'ERR_OUT_OF_RANGE', 'retryCount must be an integer between 0 and 1000000; got -1'],
  [
    { retryDelay: 0 },
    'ERR_OUT_OF_RANGE',
    'retryDelay must be an integer between 1 and 2147483647, in milliseconds; got 0',
  ],
  [{ retryDelay: 9, retryDelayMax: 8 }, 'ERR_OUT_OF_RANGE', 'retryDelayMax must be at least retryDelay (9); got 8'],
  [{ renew: 'yes' }, 'ERR_INVALID_ARG_TYPE', 'renew must be true or false; got "yes"'],
  [{ signal: {} }, 'ERR_INVALID_ARG_TYPE', 'signal must be an AbortSignal; got an object'],
  [
    { signal: new AbortController() },
    'ERR_INVALID_ARG_TYPE',
    'signal must be an AbortSignal; got an instance of AbortController',
  ],
  [{ signal: null }, 'ERR_INVALID_ARG_TYPE', 'signal must be an AbortSignal; got null'],
  [
    { waits: 1 },
    'ERR_INVALID_ARG_VALUE',
    'options must only have the names wait, retryCount, retryDelay, retryDelayMax, signal, renew, fallback, fallbackAfter; got "waits"',
  ],
]) {
  test(`refused: ${message}`, () => refuses(() => parse(options), code, message))
}

test('whenLost: resolve unless something else is said, and only one thing else can be', () => {
  assert.equal(parseWhenLost(), 'resolve')
  assert.equal(parseWhenLost({ whenLost: undefined }), 'resolve')
  assert.equal(parseWhenLost({ whenLost: 'reject' }), 'reject')
  for (const [given, shown] of [
    ['throw', '"throw"'],
    [null, 'null'],
    [true, 'true'],
  ]) {
    const message = `whenLost must be 'resolve' or 'reject'; got ${shown}`
    refuses(() => parseWhenLost({ whenLost: given }), 'ERR_INVALID_ARG_VALUE', message)
  }
})

test('how long a call may wait in all', () => {
  assert.equal(totalWait(retry), 6550)
  assert.equal(totalWait({ ...retry, wait: 20 }), 20)
  assert.equal(totalWait({ ...retry, retryCount: 0 }), 0)
  assert.equal(totalWait({ retryCount: 1_000_000, retryDelay: 10, retryDelayMax: 10 }), 10_000_000)
})
