'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { LockContendedError, QuorumUnavailableError } = require('../../js/errors')
const failure = require('../../js/failure')
const { isLeftOut } = require('../../js/nestjs/left-out')

const call = { redlock: {}, handler: () => {}, where: 'a method', isSkipping: true }
const refused = { node: 'n0', vote: 'refused' }
const granted = { node: 'n1', vote: 'granted' }
const faulted = { node: 'n2', vote: 'faulted', code: 'TIMEOUT' }
const contended = (votes, nodes = 3) => failure.contended('k', { attempts: 1, votes }, nodes)

test("'skip' leaves out what others have, and nothing of which that is not known", () => {
  for (const [error, expected] of [
    [contended([refused, refused]), true],
    [contended([granted, refused]), true],
    [contended([refused, faulted]), true],
    [contended([], 0), true], // a fallback, which has no nodes
    [new LockContendedError('held, says a provider of the user', { key: 'k' }), true],
    [contended([]), false],
    [contended([faulted]), false],
    [contended([granted, faulted]), false],
    [failure.grantedTooLate('k', 1, [granted, granted]), false],
    [failure.reentrant('k'), false],
    [new QuorumUnavailableError('no quorum', { key: 'k' }), false],
    [new Error('mine'), false],
  ]) {
    assert.equal(isLeftOut(error, call), expected, error.message)
    assert.equal(isLeftOut(error, { ...call, isSkipping: false }), false)
  }
})

test('so it is with an error that another copy of this package has made', () => {
  for (const name of ['failure', 'errors']) delete require.cache[require.resolve(`../../js/${name}`)]
  const another = require('../../js/failure')
  assert.notEqual(another, failure)
  assert.equal(isLeftOut(another.contended('k', { attempts: 1, votes: [refused] }, 3), call), true)
  assert.equal(isLeftOut(another.contended('k', { attempts: 1, votes: [] }, 3), call), false)
  assert.equal(isLeftOut(another.grantedTooLate('k', 1, [granted]), call), false)
})
