'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { advisoryKeys } = require('../../js/postgres/advisory-keys')

test('a key is the same number in every version of this package', () => {
  assert.deepEqual(advisoryKeys('quorlock', ['lock:product:1']), ['-5360991645733539716'])
})

test('in ascending order, as signed numbers, whatever the order of the keys', () => {
  const keys = Array.from({ length: 50 }, (_, i) => `key ${i}`)
  const numbers = advisoryKeys('n', keys)
  assert.deepEqual(advisoryKeys('n', [...keys].reverse()), numbers)
  assert.deepEqual(
    numbers,
    [...numbers].sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1)),
  )
  assert.ok(numbers.some((number) => number.startsWith('-')))
  for (const number of numbers) assert.equal(BigInt.asIntN(64, BigInt(number)), BigInt(number))
})

test('one key twice is one number; namespaces do not run into keys', () => {
  assert.equal(advisoryKeys('n', ['a', 'a']).length, 1)
  const all = [
    advisoryKeys('a', ['bc']),
    advisoryKeys('ab', ['c']),
    advisoryKeys('', ['abc']),
    advisoryKeys('1:a', ['bc']),
  ]
  assert.equal(new Set(all.flat()).size, 4)
})
