'use strict'

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { parseOptions } = require('../../js/options')
const { refuses } = require('./support/refuses')

const three = ['redis://a', 'redis://b', 'redis://c']
const parse = (options) => parseOptions({ nodes: three, ...options })
const ms = 'in milliseconds'

test('the defaults', () => {
  const { nodes, ...rest } = parse({}).native
  assert.equal(nodes.length, 3)
  assert.deepEqual(rest, {
    keyPrefix: '',
    quorum: 2,
    driftFactor: 0.01,
    retryCount: 10,
    retryDelay: 50,
    retryDelayMax: 1000,
    nodeTimeout: 250,
    connectTimeout: 2000,
    maxTtl: 60_000,
    maxHold: 600_000,
    stallLimit: 60_000,
    handoverLimit: 64,
    fencing: false,
    restartGuard: 1,
  })
  assert.equal(parse({}).defaultTtl, 5000)
  assert.equal(parse({}).renew, true)
})

test('the defaults follow what is given', () => {
  assert.equal(parse({ maxTtl: 300 }).defaultTtl, 300)
  assert.equal(parse({ retryDelay: 3000 }).native.retryDelayMax, 3000)
  for (const [count, quorum] of [
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 3],
    [15, 8],
  ]) {
    const nodes = Array.from({ length: count }, (_, i) => `redis://n${i}`)
    assert.equal(parse({ nodes }).native.quorum, quorum)
  }
})

test('undefined is not given', () => {
  const names = [
    'keyPrefix',
    'quorum',
    'driftFactor',
    'retryCount',
    'retryDelay',
    'retryDelayMax',
    'wait',
    'nodeTimeout',
  ]
  const more = [
    'connectTimeout',
    'defaultTtl',
    'maxTtl',
    'renew',
    'maxHold',
    'stallLimit',
    'handoverLimit',
    'clientName',
  ]
  const given = Object.fromEntries([...names, ...more].map((name) => [name, undefined]))
  assert.deepEqual(parse(given), parse({}))
})

describe('every option at its limits, and one beyond', () => {
  const most = 2_147_483_647
  for (const [name, least, greatest, wanted] of [
    ['quorum', 2, 3, 'an integer between 2 (the majority) and 3 (all nodes)'],
    ['retryCount', 0, 1_000_000, 'an integer between 0 and 1000000'],
    ['retryDelay', 1, most, `an integer between 1 and ${most}, ${ms}`],
    ['wait', 0, most, `an integer between 0 and ${most}, ${ms}`],
    ['nodeTimeout', 1, most, `an integer between 1 and ${most}, ${ms}`],
    ['connectTimeout', 1, most, `an integer between 1 and ${most}, ${ms}`],
    ['defaultTtl', 10, 60_000, `an integer between 10 and 60000 (maxTtl), ${ms}`],
    ['maxTtl', 10, 86_400_000, `an integer between 10 and 86400000, ${ms}`],
    ['maxHold', 10, most, `an integer between 10 and ${most}, ${ms}`],
    ['stallLimit', 10, most, `an integer between 10 and ${most}, ${ms}`],
    ['handoverLimit', 1, 1_000_000, 'an integer between 1 and 1000000'],
  ]) {
    test(name, async () => {
      for (const value of [least, greatest]) parse({ [name]: value })
      for (const value of [least - 1, greatest + 1, least + 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
        await refuses(() => parse({ [name]: value }), 'ERR_OUT_OF_RANGE', `${name} must be ${wanted}; got ${value}`)
      }
      for (const value of [String(least), null, true]) {
        const given = typeof value === 'string' ? `"${value}"` : String(value)
        const message = `${name} must be ${wanted}; got ${given}`
        await refuses(() => parse({ [name]: value }), 'ERR_INVALID_ARG_TYPE', message)
      }
    })
  }

  test('retryDelayMax', async () => {
    assert.equal(parse({ retryDelay: 70, retryDelayMax: 70 }).native.retryDelayMax, 70)
    const message = 'retryDelayMax must be at least retryDelay (70); got 69'
    await refuses(() => parse({ retryDelay: 70, retryDelayMax: 69 }), 'ERR_OUT_OF_RANGE', message)
  })

  test('driftFactor', async () => {
    for (const driftFactor of [0, 0.5]) assert.equal(parse({ driftFactor }).native.driftFactor, driftFactor)
    for (const driftFactor of [-0.1, 0.51, Number.NaN]) {
      const message = `driftFactor must be a number between 0 and 0.5; got ${driftFactor}`
      await refuses(() => parse({ driftFactor }), 'ERR_OUT_OF_RANGE', message)
    }
    const message = 'driftFactor must be a number between 0 and 0.5; got "0"'
    await refuses(() => parse({ driftFactor: '0' }), 'ERR_INVALID_ARG_TYPE', message)
  })

  test('renew', async () => {
    assert.equal(parse({ renew: false }).renew, false)
    await refuses(() => parse({ renew: 0 }), 'ERR_INVALID_ARG_TYPE', 'renew must be true or false; got 0')
  })

  test('clientName', async () => {
    assert.equal(parse({ clientName: 'shop-1' }).native.clientName, 'shop-1')
    const wanted = 'clientName must be a string of 1 to 128 visible ASCII characters without spaces; got'
    for (const clientName of ['', 'a b', 'ü', 'line\n']) {
      await refuses(() => parse({ clientName }), 'ERR_INVALID_ARG_VALUE', `${wanted} ${JSON.stringify(clientName)}`)
    }
    await refuses(() => parse({ clientName: 7 }), 'ERR_INVALID_ARG_TYPE', `${wanted} 7`)
  })

  test('keyPrefix', async () => {
    assert.equal(parse({ keyPrefix: 'app:' }).native.keyPrefix, 'app:')
    const message = 'keyPrefix must be a string of at most 512 UTF-8 bytes; got null'
    await refuses(() => parse({ keyPrefix: null }), 'ERR_INVALID_ARG_TYPE', message)
  })
})

test('unknown names are refused, with the known ones', () =>
  assert.throws(() => parse({ retrycount: 3 }), {
    name: 'TypeError',
    code: 'ERR_INVALID_ARG_VALUE',
    message: /^options must only have the names nodes, keyPrefix, quorum, .*breaker; got "retrycount"$/,
  }))

test('no options, or none at all that say where', async () => {
  for (const [options, given] of [
    [undefined, 'undefined'],
    [null, 'null'],
    ['redis://u:secret@a', '"redis://***@a"'],
    [[], 'an empty array'],
  ]) {
    const message = `options must be an object with nodes, like { nodes: ['redis://localhost:6379'] }; got ${given}`
    await refuses(() => parseOptions(options), 'ERR_INVALID_ARG_TYPE', message)
  }
  assert.throws(() => parseOptions({}), {
    name: 'TypeError',
    code: 'ERR_INVALID_ARG_TYPE',
    message: /^nodes must be .*; got undefined$/,
  })
})

test('the scope is that of the nodes, their order aside, and of the prefix', () => {
  const scope = (nodes, keyPrefix = '') => parseOptions({ nodes, keyPrefix }).scope
  assert.equal(scope(three), scope([...three].reverse()))
  assert.equal(scope(['redis://A:6379']), scope('valkey://a'))
  assert.equal(scope(['redis://a']), scope([{ host: 'a', password: 'x', name: 'n' }]))
  assert.notEqual(scope('redis://a'), scope('redis://a/1'))
  assert.notEqual(scope('redis://a'), scope('redis://a', 'p:'))
  assert.notEqual(scope('memory'), scope('memory:x'))
})
