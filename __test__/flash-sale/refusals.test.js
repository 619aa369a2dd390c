'use strict'

// Which errors are answered as somebody else's being away, to come again, and which as a mistake.

const path = require('node:path')
const { pathToFileURL } = require('node:url')
const { before, test } = require('node:test')
const assert = require('node:assert/strict')
const { FOLDER, load, requireDependency } = require('./shop')

let RefusalFilter

before(async () => {
  await load('shop.mjs') // says so where the example is not built
  requireDependency('reflect-metadata')
  RefusalFilter = (await import(pathToFileURL(path.join(FOLDER, 'dist/refusals/refusal.filter.js')).href)).RefusalFilter
})

/** `[status, code, Retry-After]` of the answer to an error. */
function answerTo(error) {
  let answer
  const headers = {}
  const response = { setHeader: (name, value) => Object.assign(headers, { [name]: value }) }
  const reply = (_response, body, status) => {
    answer = [status, body.code, headers['Retry-After']]
  }
  const filter = new RefusalFilter({ isHeadersSent: () => false, reply, end() {} })
  const http = { getResponse: () => response, getRequest: () => ({}) }
  filter.catch(error, { switchToHttp: () => http, getArgByIndex: () => response })
  return answer
}

const withCode = (code) => Object.assign(new Error('of the database'), { code })

/** As TypeORM passes on what Postgres says to a statement. */
function ofStatement(code) {
  const { QueryFailedError } = requireDependency('typeorm')
  return new QueryFailedError('SELECT 1', [], withCode(code))
}

const AWAY = [
  // no server there, or no way there
  ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOENT', 'ETIMEDOUT'],
  ...['EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ENETDOWN', 'ENOTFOUND', 'EAI_AGAIN'],
  // connections, resources, shutdown, a statement that took too long, a conflict with another transaction
  ...['08006', '53300', '57P01', '57014', '40001', '40P01'],
  // a server that only reads; a transaction that was idle for too long
  ...['25006', '25P03'],
]
const MISTAKES = ['23505', '23514', '25001', '25P02', '42P01', 'XX000', 'ERR_INVALID_ARG_TYPE', 'E']

test('a database that is not reached, or cannot now, is a 503 that says when to come again', () => {
  for (const code of AWAY) {
    for (const error of [withCode(code), ofStatement(code)]) {
      assert.deepEqual(answerTo(error), [503, 'DATABASE_UNAVAILABLE', '1'], `${error.constructor.name} ${code}`)
    }
  }
  for (const message of [
    'timeout exceeded when trying to connect',
    'Connection terminated unexpectedly',
    'Connection terminated: Postgres has said nothing for 8000 ms',
    'Client has encountered a connection error and is not queryable',
    'Driver not Connected',
  ]) {
    assert.deepEqual(answerTo(new Error(message)), [503, 'DATABASE_UNAVAILABLE', '1'], message)
  }
})

test('what is anybody’s mistake is a 500, which says nothing of coming again', (t) => {
  const { Logger } = requireDependency('@nestjs/common')
  Logger.overrideLogger(false) // it tells of every 500
  t.after(() => Logger.overrideLogger(['error', 'warn']))
  for (const code of MISTAKES) {
    for (const error of [withCode(code), ofStatement(code)]) {
      const [status, , retryAfter] = answerTo(error)
      assert.deepEqual([status, retryAfter], [500, undefined], code)
    }
  }
  assert.equal(answerTo('no error at all')[0], 500)
})
