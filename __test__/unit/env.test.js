'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { nodesFromEnv } = require('../../js/env')

const refused = (env, message) =>
  assert.throws(
    () => nodesFromEnv(env),
    (error) => {
      assert.match(error.message, message)
      assert.doesNotMatch(error.stack, /s3cret/)
      assert.match(error.code, /^ERR_(INVALID_ARG_(TYPE|VALUE)|OUT_OF_RANGE)$/)
      return true
    },
  )

test('QUORLOCK_NODES', () => {
  assert.equal(nodesFromEnv({ QUORLOCK_NODES: 'memory' }), 'memory')
  assert.equal(nodesFromEnv({ QUORLOCK_NODES: ' redis://a:1 ' }), 'redis://a:1')
  assert.deepEqual(nodesFromEnv({ QUORLOCK_NODES: 'redis://a, redis://b ,rediss://c' }), [
    'redis://a',
    'redis://b',
    'rediss://c',
  ])
})

test('REDIS_NODE*', () => {
  const env = {
    REDIS_NODE1_HOST: 'a',
    REDIS_NODE2_HOST: ' b ',
    REDIS_NODE2_PORT: ' 6380',
    REDIS_NODE3_HOST: 'c',
    REDIS_NODE3_PORT: '6381',
  }
  const nodes = [
    { host: 'a', port: 6379 },
    { host: 'b', port: 6380 },
    { host: 'c', port: 6381 },
  ]
  assert.deepEqual(nodesFromEnv(env), nodes)
  assert.deepEqual(
    nodesFromEnv({ ...env, REDIS_PASSWORD: ' s3cret ' }),
    nodes.map((node) => ({ ...node, password: ' s3cret ' })),
  )
  assert.deepEqual(nodesFromEnv({ REDIS_NODE1_HOST: 'a' }), [{ host: 'a', port: 6379 }])
})

test('QUORLOCK_NODES wins, and REDIS_PASSWORD is not for it', () => {
  const env = { QUORLOCK_NODES: 'redis://q', REDIS_NODE1_HOST: 'a', REDIS_PASSWORD: 's3cret' }
  assert.equal(nodesFromEnv(env), 'redis://q')
})

test('an empty variable is not set', () => {
  const env = {
    QUORLOCK_NODES: ' ',
    REDIS_NODE1_HOST: 'a',
    REDIS_NODE1_PORT: '',
    REDIS_NODE2_HOST: '',
    REDIS_PASSWORD: '',
  }
  assert.deepEqual(nodesFromEnv(env), [{ host: 'a', port: 6379 }])
})

for (const [env, message] of [
  [{}, /^QUORLOCK_NODES must be URLs separated by commas, or 'memory' \(or set REDIS_NODE1_HOST, .*\); got undefined$/],
  [{ REDIS_URL: 'redis://a', REDIS_PASSWORD: 's3cret' }, /^QUORLOCK_NODES must be/],
  [
    { QUORLOCK_NODES: 'redis://a,,redis://b' },
    /^QUORLOCK_NODES must be URLs separated by commas; got nothing at place 2 of 3$/,
  ],
  [{ QUORLOCK_NODES: 'redis://a,' }, /got nothing at place 2 of 2$/],
  [{ QUORLOCK_NODES: 'redis://a,memory' }, /^QUORLOCK_NODES \(URL 2\) must be .*'memory' stands alone/],
  [
    { QUORLOCK_NODES: 'redis://:s3cret@a,http://:s3cret@b' },
    /^QUORLOCK_NODES \(URL 2\) must have one of the schemes .*got "http:\/\/\*\*\*@b"$/,
  ],
  [{ QUORLOCK_NODES: 'redis://a,redis://a' }, /^QUORLOCK_NODES \(URL 2\) must differ from QUORLOCK_NODES \(URL 1\)/],
  [{ QUORLOCK_NODES: 'a:6379' }, /^QUORLOCK_NODES must have one of the schemes/],
  [{ REDIS_NODE1_PORT: '6379' }, /^REDIS_NODE1_HOST must be set, since REDIS_NODE1_PORT is; got undefined$/],
  [{ REDIS_NODE2_HOST: 'b' }, /^REDIS_NODE1_HOST must be set, since REDIS_NODE2_HOST is/],
  [{ REDIS_NODE1_HOST: 'a', REDIS_NODE3_HOST: 'c' }, /^REDIS_NODE2_HOST must be set, since REDIS_NODE3_HOST is/],
  [{ REDIS_NODE1_HOST: 'a', REDIS_NODE1_PORT: '0' }, /^REDIS_NODE1_PORT must be a port between 1 and 65535; got "0"$/],
  [{ REDIS_NODE1_HOST: 'a', REDIS_NODE1_PORT: '6379x' }, /^REDIS_NODE1_PORT must be a port/],
  [{ REDIS_NODE1_HOST: 'redis://:s3cret@a' }, /^REDIS_NODE1_HOST\b.* must have a host name .*got "\*\*\*@a"$/],
  [
    { REDIS_NODE1_HOST: 'a', REDIS_NODE2_HOST: 'a' },
    /^REDIS_NODE2_HOST must differ from REDIS_NODE1_HOST in host, port or db/,
  ],
  [{ QUORLOCK_NODES: 7 }, /^QUORLOCK_NODES must be a string; got 7$/],
  [null, /^env must be an object like process\.env; got null$/],
]) {
  test(`refused: ${JSON.stringify(env)}`, () => refused(env, message))
}
