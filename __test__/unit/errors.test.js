'use strict'

const assert = require('node:assert/strict')
const { inspect } = require('node:util')
const vm = require('node:vm')
const { test } = require('node:test')
const errors = require('../../js/errors')

const { LockError, LockContendedError, QuorumUnavailableError, LockLostError, RedlockClosedError, isLockError } = errors

const codes = new Map([
  [LockContendedError, 'ERR_LOCK_CONTENDED'],
  [QuorumUnavailableError, 'ERR_QUORUM_UNAVAILABLE'],
  [LockLostError, 'ERR_LOCK_LOST'],
  [RedlockClosedError, 'ERR_REDLOCK_CLOSED'],
])

for (const [Class, code] of codes) {
  test(`${Class.name} is told from the others`, () => {
    const error = new Class('text', { key: 'k', attempts: 2, votes: [{ node: 'a', vote: 'refused' }] })
    assert.equal(error.code, code)
    assert.equal(error.name, Class.name)
    assert.equal(error.message, 'text')
    assert.ok(error instanceof Error && error instanceof LockError && isLockError(error))
    for (const Other of codes.keys()) assert.equal(error instanceof Other, Other === Class)
    assert.ok(error.stack.startsWith(`${Class.name}: text\n`))
    assert.match(inspect(error), new RegExp(`code: '${code}'`))
  })
}

test('what an error carries', () => {
  const cause = new Error('why')
  const votes = [{ node: 'a', vote: 'refused' }]
  const error = new LockContendedError('text', {
    key: ['a', 'b'],
    attempts: 3,
    retryAfter: 7,
    votes,
    cause,
    reentrant: true,
  })
  assert.deepEqual(error.key, ['a', 'b'])
  assert.deepEqual(error.votes, votes)
  assert.ok(Object.isFrozen(error.votes) && !Object.isFrozen(votes))
  assert.deepEqual([error.attempts, error.retryAfter, error.reentrant, error.cause], [3, 7, true, cause])
  assert.equal(new LockLostError('text', { reason: 'gone' }).reason, 'gone')
})

test('what is not known is missing', () => {
  const error = new LockContendedError('text')
  assert.deepEqual([error.key, error.attempts, error.votes], [undefined, 0, []])
  for (const name of ['retryAfter', 'reentrant', 'cause']) assert.ok(!(name in error), name)
})

test('other things are no lock errors', () => {
  for (const other of [undefined, null, 'ERR_LOCK_LOST', {}, new Error('x'), { code: 'ERR_LOCK_LOST' }, () => {}]) {
    assert.ok(!isLockError(other) && !(other instanceof LockError) && !(other instanceof LockLostError))
  }
})

test('errors of another copy of the package are recognised', () => {
  for (const name of ['errors', 'votes']) delete require.cache[require.resolve(`../../js/${name}`)]
  const copy = require('../../js/errors')
  assert.notEqual(copy.LockLostError, LockLostError)
  const error = new copy.LockLostError('text')
  assert.ok(error instanceof LockLostError && error instanceof LockError && isLockError(error))
  assert.ok(!(error instanceof LockContendedError))
})

test('errors of another realm are recognised', () => {
  const foreign = vm.runInNewContext('new (class extends Error {})()')
  foreign[Symbol.for('quorlock.LockError')] = true
  assert.ok(isLockError(foreign) && foreign instanceof LockError && !(foreign instanceof LockLostError))
})

test("a user's subclass has an instanceof of its own", () => {
  class Mine extends LockLostError {}
  const mine = new Mine('text')
  assert.ok(mine instanceof Mine && mine instanceof LockLostError && mine instanceof LockError)
  assert.ok(!(new LockLostError('text') instanceof Mine))
  assert.equal(mine.code, 'ERR_LOCK_LOST')
})
