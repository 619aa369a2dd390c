'use strict'

// Providers of the user that do not do what they should: nothing of theirs reaches who has kept to the rules.

const assert = require('node:assert/strict')
const { subscribe, unsubscribe } = require('node:diagnostics_channel')
const { describe, test } = require('node:test')
const { cutOff } = require('./away')
const { uniqueKey, LockLostError, QuorumUnavailableError } = require('../support/quorlock')
const { until, within } = require('../support/until')

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

test("a provider that knows nothing of whenLost: 'reject' refuses all the same what was reached without the lock", async (t) => {
  for (const whenLost of ['resolve', 'reject']) {
    for (const how of ['', 'by its signal', 'before its signal']) {
      const controller = new AbortController()
      const inner = handle({ signal: controller.signal })
      const redlock = await cutOff(t, { fallback: giving(inner) })
      const section = () => {
        if (how === 'by its signal') controller.abort()
        if (how === 'before its signal') inner.isHeld = false
        return 'mine'
      }
      const done = redlock.withLock(uniqueKey(), 60_000, section, { whenLost })
      if (how !== '' && whenLost === 'reject') {
        await assert.rejects(done, (error) => error instanceof LockLostError && error.result === 'mine')
      } else {
        assert.equal(await done, 'mine')
      }
    }
  }
})

describe('a provider that never answers', () => {
  const deaf = (grants) => {
    const never = () => new Promise((resolve) => grants.push(resolve))
    return {
      complete: { createLock: assert.fail, withLock: never, acquire: never, tryAcquire: never },
      'by the interface': { createLock: () => ({ isHeld: true, tryAcquire: never, release: never }), withLock: never },
    }
  }
  for (const name of ['complete', 'by the interface']) {
    test(`${name}: is waited for as long as told, and a little; both are told to be away`, async (t) => {
      const redlock = await cutOff(t, { fallback: deaf([])[name] })
      const key = uniqueKey()
      const calls = [
        redlock.acquire(key, 1000, { wait: 100 }),
        redlock.tryAcquire(key, 1000),
        redlock.withLock(key, 1000, assert.fail, { wait: 0 }),
      ]
      const isSaid = (error) => {
        assert.match(error.message, /the fallback is away too: no answer within \d+ ms$/)
        assert.equal(error.cause.code, 'TIMEOUT')
        return error instanceof QuorumUnavailableError
      }
      await within(20_000, Promise.all(calls.map((call) => assert.rejects(call, isSaid))))
    })
  }

  test('what it grants after that is given back', async (t) => {
    const grants = []
    const redlock = await cutOff(t, { fallback: deaf(grants).complete })
    await assert.rejects(redlock.acquire(uniqueKey(), 1000, { wait: 0 }), QuorumUnavailableError)
    let released = 0
    grants[0](handle({ release: async () => (released += 1) }))
    await until(() => released === 1)
  })
})

describe('a handle that lacks what a lock has', () => {
  const signal = undefined
  const broken = {
    'without signal (an AbortSignal)': { signal },
    'without signal (an AbortSignal), remaining (a number)': { signal, remaining: '5000' },
    'without isHeld (a boolean)': { isHeld: undefined },
    'without extend()': { extend: undefined },
  }
  for (const [lack, parts] of Object.entries(broken)) {
    test(`${lack}: is given back, and told`, async (t) => {
      let released = 0
      const release = async () => {
        released += 1
      }
      const redlock = await cutOff(t, { fallback: giving(handle({ ...parts, release })) })
      const key = uniqueKey()
      const wanted = { name: 'TypeError', message: `the fallback gave a lock ${lack}` }
      await assert.rejects(redlock.acquire(key, 1000), wanted)
      await assert.rejects(redlock.tryAcquire(key, 1000), wanted)
      assert.equal(released, 2)
      await assert.rejects(redlock.withLock(key, 1000, assert.fail), wanted)
    })
  }

  test('no handle at all', async (t) => {
    for (const inner of [undefined, 'lock']) {
      const redlock = await cutOff(t, { fallback: giving(inner) })
      await assert.rejects(redlock.acquire(uniqueKey(), 1000), { message: /^the fallback must give a Lock; got / })
      await assert.rejects(redlock.withLock(uniqueKey(), 1000, assert.fail), TypeError)
    }
  })
})

describe('an extend() that succeeds when the lock is lost or given back', () => {
  const refusedFor = (reason) => (error) => error instanceof LockLostError && error.reason === reason

  test('by the interface: does not bring it back', async (t) => {
    const lost = new AbortController()
    const hasEnded = new Promise((resolve) => lost.signal.addEventListener('abort', resolve))
    const inner = { isHeld: true, tryAcquire: async () => true, extend: () => hasEnded.then(() => true) }
    const release = async () => {}
    const provider = { createLock: () => ({ ...inner, release }), withLock: assert.fail }
    const redlock = await cutOff(t, { fallback: provider })
    const lock = await redlock.acquire(uniqueKey(), 50)
    const refused = assert.rejects(within(20_000, lock.extend(60_000)), refusedFor('expired'))
    await until(() => lock.inner.signal.aborted)
    lost.abort()
    await refused
    assert.deepEqual([lock.isHeld, lock.inner.isHeld, lock.inner.remaining], [false, false, 0])
  })

  const ends = {
    'lost meanwhile': [(_lock, controller) => controller.abort(), 'gone'],
    'released meanwhile': [(lock) => lock.release(), 'released'],
  }
  for (const [how, [end, reason]] of Object.entries(ends)) {
    test(`${how}: is told as that`, async (t) => {
      const controller = new AbortController()
      let extended
      const extend = () => new Promise((resolve) => (extended = resolve))
      const redlock = await cutOff(t, { fallback: giving(handle({ extend, signal: controller.signal })) })
      const lock = await redlock.acquire(uniqueKey(), 60_000)
      const refused = assert.rejects(within(20_000, lock.extend()), refusedFor(reason))
      end(lock, controller)
      extended()
      await refused
    })
  }
})
