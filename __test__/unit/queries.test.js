'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { open, quiet, deliver, record } = require('./support/fake-native')
const { QuorumUnavailableError } = require('../../js/errors')
const { Redlock } = require('../../js/redlock')
const { refuses } = require('./support/refuses')

test('connect', async () => {
  const { redlock, engine } = open()
  const asked = redlock.connect()
  assert.deepEqual(engine.asked, [['connect', 10_000]])
  engine.answer(0, record.CONNECTED)
  await deliver()
  assert.equal(await asked, undefined)
})

test('connect that fails says what each node is missing', async () => {
  const { redlock, engine } = open()
  const asked = quiet(redlock.connect({ timeout: 70 }))
  const votes = [1, 2].map((node) => ({ node, vote: 2, code: 'AUTH', message: 'WRONGPASS' }))
  engine.answer(0, record.CONNECT_FAILED, { detail: { attempts: 0, votes } })
  await deliver()
  await assert.rejects(asked, (error) => {
    assert.ok(error instanceof QuorumUnavailableError)
    assert.equal(error.key, undefined)
    assert.match(
      error.message,
      /^could not connect within 70 ms: no quorum, 1 of 3 nodes could vote and 2 are needed \(b:6379 faulted: AUTH WRONGPASS/,
    )
    return true
  })
})

test('inspect', async () => {
  const { redlock, engine } = open()
  const asked = redlock.inspect('key')
  const inspections = [
    { node: 0, held: true, id: 'ab', remaining: 12.5, error: null },
    { node: 1, held: false },
    { node: 2, held: false, error: 'TIMEOUT no answer' },
  ]
  engine.answer(0, record.INSPECTED, { detail: { attempts: 0, votes: [], inspections } })
  await deliver()
  assert.deepEqual(await asked, [
    { node: 'a:6379', held: true, id: 'ab', remaining: 12.5 },
    { node: 'b:6379', held: false },
    { node: 'c:6379', held: false, error: 'TIMEOUT no answer' },
  ])
})

test('stats have the names of the nodes', () => {
  const { redlock, engine } = open({ nodes: [{ host: 'a', name: 'first', password: 's3cret' }, 'redis://b'] })
  const native = engine.stats()
  engine.stats = () => ({
    ...native,
    held: 1,
    nodes: [
      { state: 'up', code: null, message: null, p50: 0.1, p99: 0.5 },
      { state: 'down', code: 'CONNECT', message: 'refused', p50: 0, p99: 0 },
    ],
  })
  const stats = redlock.stats()
  assert.equal(stats.held, 1)
  assert.deepEqual(stats.nodes, [
    { name: 'first', state: 'up', rtt: { p50: 0.1, p99: 0.5 } },
    { name: 'b:6379', state: 'down', rtt: { p50: 0, p99: 0 }, error: 'CONNECT refused' },
  ])
})

test('what the engine is given', () => {
  const { engine } = open({
    nodes: ['redis://:s3cret@a/2', { path: '/r.sock', password: () => 'x' }],
    keyPrefix: 'p:',
    wait: 5,
  })
  assert.deepEqual(engine.config.nodes, [
    { host: 'a', port: 6379, db: 2, password: 's3cret' },
    { path: '/r.sock', db: 0, askPassword: true },
  ])
  assert.deepEqual([engine.config.keyPrefix, engine.config.wait, engine.config.quorum], ['p:', 5, 2])
})

test('fromEnv', async () => {
  const made = Redlock.fromEnv({ QUORLOCK_NODES: 'memory' }, { keyPrefix: 'p:' })
  assert.ok(made instanceof Redlock)
  assert.equal(made.stats().nodes[0].name, 'memory')
  const overridden = Redlock.fromEnv({}, { nodes: ['redis://x'] })
  assert.equal(overridden.stats().nodes[0].name, 'x:6379')
  class Mine extends Redlock {}
  assert.ok(Mine.fromEnv({ QUORLOCK_NODES: 'memory' }) instanceof Mine)
  await refuses(() => Redlock.fromEnv({}, null), 'ERR_INVALID_ARG_TYPE', 'overrides must be an object; got null')
  assert.throws(
    () => Redlock.fromEnv({ QUORLOCK_NODES: 'memory' }, { retries: 1 }),
    /only have the names .*got "retries"/,
  )
})
