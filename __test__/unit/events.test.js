'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { open, held, deliver, settled, record } = require('./support/fake-native')
const { refuses } = require('./support/refuses')

/** What is told by process.emitWarning while `t` runs. */
function warnings(t) {
  const told = []
  t.mock.method(process, 'emitWarning', (message, options) => told.push({ message, ...options }))
  return told
}

test('nodes go down and come back', async () => {
  const { redlock, engine } = open()
  const seen = []
  redlock.on('nodeDown', (event) => seen.push(event)).on('nodeUp', (event) => seen.push(event))
  engine.notify({ type: 'nodeDown', node: 1, code: 'CONNECT', message: 'connection refused' })
  engine.notify({ type: 'nodeUp', node: 1 })
  await deliver()
  assert.equal(seen.length, 2)
  assert.equal(seen[0].node, 'b:6379')
  assert.ok(seen[0].error instanceof Error)
  assert.deepEqual([seen[0].error.code, seen[0].error.message], ['CONNECT', 'connection refused'])
  assert.deepEqual(seen[1], { node: 'b:6379' })
})

test('once, off', async () => {
  const { redlock, engine } = open()
  const seen = []
  const listener = () => seen.push('on')
  redlock.once('nodeUp', () => seen.push('once')).on('nodeUp', listener)
  for (let i = 0; i < 3; i += 1) {
    engine.notify({ type: 'nodeUp', node: 0 })
    await deliver()
    if (i === 1) redlock.off('nodeUp', listener)
  }
  assert.deepEqual(seen, ['once', 'on', 'on'])
})

test('bad names and listeners', async () => {
  const { redlock } = open()
  const message = 'event must be one of lost, nodeDown, nodeUp, degraded; got "error"'
  for (const method of ['on', 'once', 'off']) {
    await refuses(() => redlock[method]('error', () => {}), 'ERR_INVALID_ARG_VALUE', message)
    await refuses(() => redlock[method]('lost'), 'ERR_INVALID_ARG_TYPE', 'listener must be a function; got undefined')
  }
})

test('a listener that fails disturbs nobody, and is reported', async (t) => {
  const told = warnings(t)
  const { redlock, engine } = await held()
  const seen = []
  redlock.on('lost', () => {
    throw new Error('first')
  })
  redlock.on('lost', async () => {
    throw new Error('second')
  })
  redlock.on('lost', () => seen.push('third'))
  const asked = redlock.acquire('other', 1000)
  engine.answer(0, record.LOST, { code: 0 })
  engine.grant(1)
  await deliver()
  assert.deepEqual(seen, ['third'])
  assert.equal((await asked).key, 'other')
  assert.deepEqual(
    told.map(({ message, type, code }) => ({ message, type, code })),
    ['first', 'second'].map((name) => ({
      message: `a listener of "lost" failed: ${name}`,
      type: 'QuorlockWarning',
      code: 'QUORLOCK_LISTENER',
    })),
  )
  assert.match(told[0].detail, /events\.test\.js/)
})

test('a listener that closes everything while records are being settled', async () => {
  const { redlock, engine } = await held()
  let closed
  redlock.on('lost', () => {
    closed = redlock.close({ timeout: 0 })
  })
  const asked = redlock.acquire('other', 1000)
  engine.answer(0, record.LOST, { code: 0 })
  engine.grant(1)
  await deliver()
  assert.equal((await asked).key, 'other')
  await settled()
  while (engine.count('release') < 2) await settled()
  for (const slot of [0, 1]) engine.answer(slot, record.RELEASED)
  await deliver()
  await closed
})

test('warnings of nodes become process warnings', async (t) => {
  const told = warnings(t)
  const { engine } = open()
  engine.notify({ type: 'warning', node: 0, code: 'EVICTION', message: 'the server evicts keys' })
  await deliver()
  assert.deepEqual(told, [
    {
      message: 'a:6379: the server evicts keys',
      type: 'QuorlockWarning',
      code: 'QUORLOCK_EVICTION',
      detail: undefined,
    },
  ])
})

for (const [name, password, answer] of [
  ['a string', () => 's3cret', ['s3cret', null]],
  ['a promise', async () => 's3cret', ['s3cret', null]],
  [
    'a throw',
    () => {
      throw new Error('vault is closed')
    },
    [null, 'the password function of a:6379 failed: vault is closed'],
  ],
  ['a rejection', () => Promise.reject('no'), [null, 'the password function of a:6379 failed: no']],
  ['nonsense', () => 12_345, [null, 'the password function of a:6379 must return a non-empty string; got a number']],
  ['nothing', async () => {}, [null, 'the password function of a:6379 must return a non-empty string; got undefined']],
  [
    'an empty string',
    () => '',
    [null, 'the password function of a:6379 must return a non-empty string; got an empty string'],
  ],
]) {
  test(`a password function that gives ${name}`, async () => {
    const { engine } = open({ nodes: [{ host: 'a', password }] })
    engine.notify({ type: 'password', node: 0 })
    await deliver()
    assert.deepEqual(engine.asked, [['credential', 0, ...answer]])
  })
}
