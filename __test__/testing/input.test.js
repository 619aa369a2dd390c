'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { Redlock } = require('../..')
const { TestRedlock } = require('../../testing')
const { open } = require('./support/open')

test('options', () => {
  for (const [options, code] of [
    [{ nodes: 0 }, 'ERR_OUT_OF_RANGE'],
    [{ nodes: 16 }, 'ERR_OUT_OF_RANGE'],
    [{ nodes: ['redis://localhost'] }, 'ERR_INVALID_ARG_TYPE'],
    [{ with: new Redlock({ nodes: 'memory' }) }, 'ERR_INVALID_ARG_TYPE'],
    [{ with: null }, 'ERR_INVALID_ARG_TYPE'],
    [{ with: new TestRedlock(), nodes: 3 }, 'ERR_INVALID_ARG_VALUE'],
    [{ node: 3 }, 'ERR_INVALID_ARG_VALUE'],
    [{ maxTtl: -1 }, 'ERR_OUT_OF_RANGE'],
    [null, 'ERR_INVALID_ARG_TYPE'],
  ]) {
    assert.throws(() => new TestRedlock(options), { code })
  }
})

test('methods reject and never throw', async (t) => {
  const redlock = open(t)
  for (const [name, argument, code] of [
    ['advance', -1, 'ERR_OUT_OF_RANGE'],
    ['advance', 0.5, 'ERR_OUT_OF_RANGE'],
    ['advance', '1', 'ERR_INVALID_ARG_TYPE'],
    ['advance', undefined, 'ERR_INVALID_ARG_TYPE'],
    ['failNodes', 4, 'ERR_OUT_OF_RANGE'],
    ['failNodes', -1, 'ERR_OUT_OF_RANGE'],
    ['restartNode', 3, 'ERR_OUT_OF_RANGE'],
    ['restartNode', undefined, 'ERR_INVALID_ARG_TYPE'],
    ['loseLock', ['a'], 'ERR_INVALID_ARG_TYPE'],
    ['loseLock', '', 'ERR_INVALID_ARG_VALUE'],
    ['close', { timeout: -1 }, 'ERR_OUT_OF_RANGE'],
  ]) {
    const call = redlock[name](argument)
    await assert.rejects(call, { code }, `${name}(${String(argument)})`)
  }
})

test('code that goes on without end at one moment does not hang the test', async (t) => {
  const redlock = open(t)
  let over = false
  const loop = (async () => {
    while (!over) await redlock.withLock('key', 1000, () => {})
  })()
  await assert.rejects(redlock.advance(1), /^Error: the code under test goes on making calls, without end/)
  over = true
  await loop
  await redlock.advance(1)
})

test('after close() time may still pass', async (t) => {
  const redlock = open(t)
  await redlock.close()
  await redlock.advance(1000)
  await redlock.failNodes(1)
  await redlock.reset()
  assert.ok(redlock.stats().nodes.every(({ state }) => state === 'closed'))
})

test('the ESM entry gives the same class', async () => {
  const esm = await import('quorlock/testing')
  assert.equal(esm.TestRedlock, TestRedlock)
  assert.equal(require('quorlock/testing').TestRedlock, TestRedlock)
})
