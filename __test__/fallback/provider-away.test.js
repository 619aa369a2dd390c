'use strict'

// A provider of the user whose own service is away, as callers see it: both layers are told as one outage, whatever the
// provider rejects with. Mistakes in the code, and what our own classes say, come out as they are.

const assert = require('node:assert/strict')
const net = require('node:net')
const { describe, test } = require('node:test')
const { cutOff } = require('./away')
const { freePort } = require('../support/ports')
const {
  uniqueKey,
  LockContendedError,
  LockLostError,
  QuorumUnavailableError,
  RedlockClosedError,
} = require('../support/quorlock')

/** Providers that answer each call by `fail`. */
const providers = {
  complete: (fail) => ({ createLock: assert.fail, acquire: fail, tryAcquire: fail, withLock: fail }),
  'by the interface': (fail) => ({ createLock: () => ({ isHeld: false, tryAcquire: fail }), withLock: fail }),
}

const calls = {
  acquire: (redlock) => redlock.acquire(uniqueKey(), 1000),
  tryAcquire: (redlock) => redlock.tryAcquire(uniqueKey(), 1000),
  withLock: (redlock) => redlock.withLock(uniqueKey(), 1000, assert.fail),
}

/** Each call of each provider that fails with what `fail` throws or rejects with. */
async function everyCall(t, fail, check) {
  for (const [name, make] of Object.entries(providers)) {
    const redlock = await cutOff(t, { fallback: make(fail) })
    for (const [method, call] of Object.entries(calls)) await check(() => call(redlock), `${method}, ${name}`)
  }
}

describe('a provider that is away', () => {
  const rejects = {
    'an error of its own': [new Error('out of order'), /is away too: out of order$/],
    'an error that is no Error': ['gone', /is away too: gone$/],
    nothing: [undefined, /is away too: undefined$/],
    'what no text can be made of': [Object.create(null), /is away too: a value that no text can be made of$/],
    'what fetch() rejects with': [
      new TypeError('fetch failed', { cause: new Error('ECONNREFUSED') }),
      /is away too: fetch failed$/,
    ],
    'several errors without a message': [
      Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }),
      /is away too: ECONNREFUSED$/,
    ],
    'an address with a password': [new Error('no route to https://me:secret@locks'), /is away too: \*\*\*@locks$/],
    'a long text': [new Error('x'.repeat(5000)), /x{200}…$/],
  }
  for (const [what, [value, message]] of Object.entries(rejects)) {
    test(`rejects with ${what}: no quorum, with the votes, and that as the cause`, async (t) => {
      const fail = () => {
        throw value
      }
      await everyCall(t, fail, async (call, name) => {
        await assert.rejects(call, (error) => {
          assert.ok(error instanceof QuorumUnavailableError, `${name}: ${error}`)
          assert.match(error.message, message)
          assert.equal(error.cause, value)
          assert.deepEqual([error.votes.length, error.votes[0].vote], [3, 'faulted'])
          return true
        })
      })
    })
  }

  test('has nobody at its port: as the network tells it', async (t) => {
    const port = await freePort()
    const connect = () =>
      new Promise((_, reject) => {
        net.connect({ port, host: 'localhost' }).on('error', reject)
      })
    await everyCall(t, connect, async (call) => {
      await assert.rejects(call, (error) => {
        assert.match(error.message, /is away too: .*ECONNREFUSED/)
        return error instanceof QuorumUnavailableError && error.cause.code === 'ECONNREFUSED'
      })
    })
  })

  test('a lock that cannot even be made', async (t) => {
    const mine = new Error('out of order')
    const createLock = () => {
      throw mine
    }
    const redlock = await cutOff(t, { fallback: { createLock, withLock: assert.fail } })
    const call = redlock.acquire(uniqueKey(), 1000)
    await assert.rejects(call, (error) => error instanceof QuorumUnavailableError && error.cause === mine)
  })
})

describe('what is no outage comes out as it is', () => {
  const others = {
    'a TypeError of its arguments': new TypeError('ttl must be a number'),
    'a RangeError of its arguments': new RangeError('ttl must be less'),
    'a lock that others have': new LockContendedError('held'),
    'a lock that was lost': new LockLostError('lost', { reason: 'gone' }),
    'a provider that was closed': new RedlockClosedError('closed'),
    'an abort of its own': Object.assign(new Error('aborted'), { name: 'AbortError' }),
  }
  for (const [what, mine] of Object.entries(others)) {
    test(what, async (t) => {
      const fail = () => {
        throw mine
      }
      await everyCall(t, fail, (call) => assert.rejects(call, (error) => error === mine))
    })
  }

  test('what the function throws, whatever that is', async (t) => {
    const mine = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    const withLock = async (_key, _ttl, fn) => fn({ ...handle })
    const redlock = await cutOff(t, { fallback: { createLock: assert.fail, withLock } })
    const failing = redlock.withLock(uniqueKey(), 1000, () => Promise.reject(mine))
    await assert.rejects(failing, (error) => error === mine)
  })
})

const handle = {
  isHeld: true,
  remaining: 1000,
  signal: new AbortController().signal,
  extend: async () => {},
  release: async () => 'released',
}
