'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { boundaryOf, checkKey, checkKeys, checkPrefix } = require('../../js/key')
const { refuses } = require('./support/refuses')

const WANTED = 'be a string of 1 to 512 UTF-8 bytes'

for (const key of ['a', 'lock:product:7', ' ', '\0', 'ключ', '🔒', 'x'.repeat(512), 'é'.repeat(256), '€'.repeat(170)]) {
  test(`a key of ${Buffer.byteLength(key)} bytes: ${JSON.stringify(key.slice(0, 20))}`, () => {
    checkKey(key, null)
    assert.deepEqual(checkKeys(key, null), [key])
  })
}

for (const [key, code, message] of [
  ['', 'ERR_INVALID_ARG_VALUE', `key must ${WANTED}; got ""`],
  [7, 'ERR_INVALID_ARG_TYPE', `key must ${WANTED}; got 7`],
  [undefined, 'ERR_INVALID_ARG_TYPE', `key must ${WANTED}; got undefined`],
  [null, 'ERR_INVALID_ARG_TYPE', `key must ${WANTED}; got null`],
  [Symbol('s'), 'ERR_INVALID_ARG_TYPE', `key must ${WANTED}; got a symbol`],
  ['x'.repeat(513), 'ERR_OUT_OF_RANGE', `key must ${WANTED}; got "${'x'.repeat(80)}…" (513 bytes)`],
  ['€'.repeat(171), 'ERR_OUT_OF_RANGE', `key must ${WANTED}; got "${'€'.repeat(80)}…" (513 bytes)`],
  ['a:quorlock:fence', 'ERR_INVALID_ARG_VALUE', 'key must not contain ":quorlock:"; got "a:quorlock:fence"'],
  ['\ud800', 'ERR_INVALID_ARG_VALUE', 'key must be well-formed text, without lone surrogates; got "\\ud800"'],
]) {
  test(`no key: ${message.slice(0, 90)}`, () => refuses(() => checkKey(key, null), code, message))
}

test('several keys', () => {
  assert.deepEqual(checkKeys(['b', 'a', 'b'], null), ['b', 'a'])
  assert.equal(
    checkKeys(
      Array.from({ length: 64 }, (_, i) => `k${i}`),
      null,
    ).length,
    64,
  )
})

test('several keys that are none', async () => {
  const wanted = 'key must have between 1 and 64 different keys when it is an array; got'
  await refuses(() => checkKeys([], null), 'ERR_OUT_OF_RANGE', `${wanted} an empty array`)
  const many = Array.from({ length: 65 }, (_, i) => `k${i}`)
  await refuses(() => checkKeys(many, null), 'ERR_OUT_OF_RANGE', `${wanted} an array of 65`)
  await refuses(() => checkKeys(['a', 7], null), 'ERR_INVALID_ARG_TYPE', `key[1] must ${WANTED}; got 7`)
  await refuses(() => checkKeys(['a', ''], null), 'ERR_INVALID_ARG_VALUE', `key[1] must ${WANTED}; got ""`)
  const both = `key must ${WANTED}, or an array of such strings; got a function`
  await refuses(() => checkKeys(() => 'a', null), 'ERR_INVALID_ARG_TYPE', both)
})

test('the reserved name is not formed by prefix and key together', async () => {
  assert.equal(boundaryOf(''), null)
  assert.equal(boundaryOf('app'), null)
  assert.deepEqual(boundaryOf('app:'), ['quorlock:'])
  assert.deepEqual(boundaryOf('app:quor'), ['lock:'])
  checkKey('quorlock', boundaryOf('app:'))
  checkKey('quorlock:x', null)
  const message = 'key must not form ":quorlock:" together with the keyPrefix; got "quorlock:x"'
  await refuses(() => checkKey('quorlock:x', boundaryOf('app:')), 'ERR_INVALID_ARG_VALUE', message)
})

test('the prefix', async () => {
  assert.equal(checkPrefix(''), '')
  assert.equal(checkPrefix('app:'), 'app:')
  const wanted = 'keyPrefix must be a string of at most 512 UTF-8 bytes; got 1'
  await refuses(() => checkPrefix(1), 'ERR_INVALID_ARG_TYPE', wanted)
  const reserved = 'keyPrefix must not contain ":quorlock:"; got "x:quorlock:"'
  await refuses(() => checkPrefix('x:quorlock:'), 'ERR_INVALID_ARG_VALUE', reserved)
})
