'use strict'

// Providers of the user that do not do what they should: nothing of theirs reaches who has kept to the rules.

const assert = require('node:assert/strict')
const { subscribe, unsubscribe } = require('node:diagnostics_channel')
const { describe, test } = require('node:test')
const { cutOff } = require('./away')
const { uniqueKey } = require('../support/quorlock')
const { within } = require('../support/until')

/** A handle of a provider, and a provider that gives nothing else. */
const handle = (parts) => ({
  id: 'inner',
  ttl: 60_000,
  isHeld: true,
  remaining: 60_000,
  signal: new AbortController().signal,
  extend: async () => {},
  release: async () => 'released',
  ...parts,
})
const giving = (inner) => ({
  createLock: assert.fail,
  withLock: async (_key, _ttl, fn) => fn(inner),
  acquire: async () => inner,
  tryAcquire: async () => inner,
})

describe('a release() that fails', () => {
  const failing = {
    'by rejecting': () => Promise.reject(new Error('out of order')),
    'by throwing': () => {
      throw new Error('out of order')
    },
  }
  for (const [how, release] of Object.entries(failing)) {
    test(`${how}: is answered 'unknown', also to who listens to messages`, async (t) => {
      const told = []
      const hear = ({ outcome }) => told.push(outcome)
      subscribe('quorlock:release', hear)
      t.after(() => unsubscribe('quorlock:release', hear))
      const redlock = await cutOff(t, { fallback: giving(handle({ release })) })
      const lock = await redlock.acquire(uniqueKey(), 60_000)
      assert.equal(await lock.release(), 'unknown')
      assert.deepEqual(told, ['unknown'])
    })

    test(`${how}: does not keep close() from ending everything`, async (t) => {
      const redlock = await cutOff(t, { fallback: giving(handle({ release })) })
      const lock = await redlock.acquire(uniqueKey(), 60_000)
      await within(20_000, redlock.close({ timeout: 20 }))
      assert.equal(lock.signal.reason.reason, 'closed')
      assert.equal(await lock.release(), 'unknown')
      assert.ok(redlock.stats().nodes.every(({ state }) => state === 'closed'))
    })
  }
})
