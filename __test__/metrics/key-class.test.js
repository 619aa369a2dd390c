// What keys may be mapped to, and what becomes of everything else.

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { open } = require('../support/quorlock')
const { until } = require('../support/until')
const { warnings } = require('../support/warnings')
const { observe } = require('./support')

describe('keyClass', () => {
  for (const [what, keyClass] of [
    ['gives no string', () => 7],
    ['gives a promise', async () => 'orders'],
    [
      'gives a promise that rejects',
      async () => {
        throw new Error('secret')
      },
    ],
    ['gives an empty string', () => ''],
    ['gives a long string', () => 'x'.repeat(65)],
    [
      'throws',
      () => {
        throw new Error('secret key')
      },
    ],
  ]) {
    test(`that ${what} is counted as "other", and told once without the key`, async (t) => {
      const told = warnings(t, 'KEY_CLASS')
      const redlock = open(t, 'memory')
      const { figure } = observe(t, { redlock, keyClass })
      await redlock.withLock('secret', 1000, () => {})
      await redlock.withLock('secret', 1000, () => {})
      assert.equal(await figure('acquire_seconds_count', { outcome: 'acquired', key_class: 'other' }), 2)
      await until(() => told.length > 0)
      assert.equal(told.length, 1)
      assert.doesNotMatch(told[0], /secret/)
    })
  }

  test('makes 100 classes at most', async (t) => {
    const told = warnings(t, 'KEY_CLASS')
    const redlock = open(t, 'memory')
    const { figure } = observe(t, { redlock, keyClass: (key) => key })
    for (let i = 0; i < 103; i += 1) await redlock.withLock(`key:${i}`, 1000, () => {})
    const acquired = (name) => figure('acquire_seconds_count', { outcome: 'acquired', key_class: name })
    assert.deepEqual([await acquired('key:99'), await acquired('key:100'), await acquired('other')], [1, undefined, 3])
    await until(() => told.length === 1)
  })
})
