'use strict'

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { TcpProxy } = require('../../support/proxy')
const { allUp, open, uniqueKey, Redlock } = require('../../support/quorlock')

// Rejected before anything is sent, in one message shape that quotes the input. The finer points of every option are
// the matter of the unit tests; here is what each entry refuses, over real nodes.

module.exports = (backend) => {
  const isInputError = (error) => {
    assert.ok(error instanceof TypeError || error instanceof RangeError, String(error))
    assert.match(error.code, /^ERR_(INVALID_ARG_TYPE|INVALID_ARG_VALUE|OUT_OF_RANGE)$/)
    assert.match(error.message, / must .+; got .+/)
    return true
  }
  const keys = { empty: '', number: 7, undefined: undefined, null: null, object: {}, long: 'ü'.repeat(257) }
  Object.assign(keys, { surrogate: 'a\ud800b', reserved: 'a:quorlock:fence' })
  const ttls = {
    text: '5000',
    fraction: 10.5,
    short: 9,
    negative: -5,
    long: 60_001,
    nan: Number.NaN,
    missing: undefined,
  }

  test('keys and ttls', async (t) => {
    const redlock = open(t, backend.nodes)
    const entries = {
      acquire: (key, ttl) => redlock.acquire(key, ttl),
      tryAcquire: (key, ttl) => redlock.tryAcquire(key, ttl),
      withLock: (key, ttl) => redlock.withLock(key, ttl, () => assert.fail('called')),
    }
    for (const [entry, call] of Object.entries(entries)) {
      for (const [what, key] of Object.entries(keys)) {
        await assert.rejects(async () => call(key, 5000), isInputError, `${entry} with a key: ${what}`)
      }
      for (const [what, ttl] of Object.entries(ttls)) {
        await assert.rejects(async () => call(uniqueKey(), ttl), isInputError, `${entry} with a ttl: ${what}`)
      }
    }
    assert.equal(redlock.stats().acquired, 0)
  })

  test('nothing is sent', async (t) => {
    const proxy = backend.servers && (await TcpProxy.start(backend.servers[0].port))
    t.after(() => proxy?.stop())
    const redlock = await allUp(t, proxy?.url ?? backend.nodes)
    const before = proxy?.received
    const key = uniqueKey('never-sent')
    for (const call of [
      () => redlock.acquire(key, 5),
      () => redlock.acquire([key, ''], 5000),
      () => redlock.withLock(key, 5000, 'not a function'),
      () => redlock.withLock(key, 5000),
      () => redlock.acquire(key, 5000, { unknown: 1 }),
      () => redlock.acquire(key, 5000, { renew: 'yes' }),
      () => redlock.acquire(key, 5000, null),
    ]) {
      await assert.rejects(async () => call(), isInputError)
    }
    if (backend.servers) assert.equal(proxy.received, before, 'not one byte')
    // A good call afterwards: were one of the bad ones on its way, it would have arrived before this one.
    const lock = await redlock.acquire(key, 5000, { wait: 0 })
    assert.equal(lock.attempts, 1)
    assert.equal(redlock.stats().contended, 0)
  })

  test('the sibling of each: good input is taken', async (t) => {
    const redlock = open(t, backend.nodes)
    for (const key of ['ü'.repeat(256), 'a😀b', 'quorlock:fence']) {
      const lock = await redlock.acquire([key, uniqueKey()], 60_000)
      assert.equal(await lock.release(), 'released')
    }
    assert.equal(await redlock.withLock(uniqueKey(), 10_000, () => 1, { renew: false, wait: 5000 }), 1)
  })

  for (const options of [
    undefined,
    null,
    {},
    { nodes: [] },
    { nodes: '' },
    { nodes: 7 },
    { nodes: ['redis://a', 7] },
  ]) {
    test(`new Redlock(${JSON.stringify(options)}) is a TypeError`, () => {
      assert.throws(() => new Redlock(options), TypeError)
    })
  }

  test('the same server twice is a RangeError', () => {
    for (const nodes of [
      ['redis://a:1', 'redis://a:1'],
      ['redis://a', { host: 'a', port: 6379 }],
      ['redis://a:1/2', 'rediss://a:1/2'],
    ]) {
      assert.throws(() => new Redlock({ nodes }), RangeError)
    }
  })

  test('options that are unknown or out of range', () => {
    for (const options of [
      { unknown: 1 },
      { quorum: 0 },
      { quorum: backend.count + 1 },
      { driftFactor: -1 },
      { retryCount: 1.5 },
      { maxTtl: 5 },
      { defaultTtl: 70_000 },
      { keyPrefix: 7 },
      { nodeTimeout: 0 },
    ]) {
      assert.throws(() => new Redlock({ nodes: backend.nodes, ...options }), isInputError, JSON.stringify(options))
    }
  })

  test('a password is in no message', () => {
    for (const nodes of [
      ['redis://:sesame@a:1', 'redis://:sesame@a:1'],
      'redis://user:sesame@a:99999',
      'ftp://user:sesame@a',
      [{ url: 'redis://:sesame@a:1', password: 'sesame' }],
    ]) {
      assert.throws(
        () => new Redlock({ nodes }),
        (error) => !`${error.message}${error.stack}`.includes('sesame'),
      )
    }
  })
}
