'use strict'

// Which errors are answered as somebody else's being away, to come again, and which as a mistake.

const path = require('node:path')
const { pathToFileURL } = require('node:url')
const { before, test } = require('node:test')
const assert = require('node:assert/strict')
const { FOLDER, load, requireDependency } = require('./shop')

let RefusalFilter
let LockRefusalFilter

before(async () => {
  await load('shop.mjs') // says so where the example is not built
  requireDependency('reflect-metadata')
  const dist = (file) => import(pathToFileURL(path.join(FOLDER, 'dist', 'refusals', file)).href)
  ;({ RefusalFilter } = await dist('refusal.filter.js'))
  ;({ LockRefusalFilter } = await dist('lock-refusal.filter.js'))
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

/** The address of an application with the filters of the service, where `/<name>` throws that error. */
async function throwing(t, errors) {
  const { Controller, Get, Module } = requireDependency('@nestjs/common')
  const { NestFactory } = requireDependency('@nestjs/core')
  class Throwing {}
  for (const [name, error] of Object.entries(errors)) {
    const method = {
      value() {
        throw error
      },
    }
    Object.defineProperty(Throwing.prototype, name, method)
    Get(name)(Throwing.prototype, name, method)
  }
  Controller()(Throwing)
  class Throws {}
  Module({ controllers: [Throwing] })(Throws)
  const app = await NestFactory.create(Throws, { logger: false })
  t.after(() => app.close())
  app.useGlobalFilters(new RefusalFilter(app.getHttpAdapter()), new LockRefusalFilter())
  await app.listen(0, '127.0.0.1')
  return app.getUrl()
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

test('a lock that is not to be had says when to come again; a deadlock is a mistake', async (t) => {
  const { LockContendedError, QuorumUnavailableError, Redlock } = requireDependency('quorlock')
  const redlock = new Redlock({ nodes: 'memory' })
  t.after(() => redlock.close())
  const within = redlock.withLock('stock', 1000, () => redlock.withLock('stock', 1000, () => {}))
  const deadlock = await within.catch((error) => error)
  redlock.drain()
  const closed = await redlock.acquire('stock', 1000).catch((error) => error)
  const url = await throwing(t, {
    ...{ deadlock, closed, contended: new LockContendedError('others hold it') },
    known: new LockContendedError('others hold it', { retryAfter: 2001 }),
    unavailable: new QuorumUnavailableError('no quorum'),
  })
  const answers = {}
  for (const name of ['contended', 'known', 'unavailable', 'closed', 'deadlock']) {
    const response = await fetch(`${url}/${name}`)
    answers[name] = [response.status, (await response.json()).code, response.headers.get('retry-after')]
  }
  assert.deepEqual(answers, {
    contended: [409, 'ERR_LOCK_CONTENDED', '1'],
    known: [409, 'ERR_LOCK_CONTENDED', '3'],
    unavailable: [503, 'ERR_QUORUM_UNAVAILABLE', '1'],
    closed: [503, 'ERR_REDLOCK_CLOSED', '1'],
    deadlock: [500, undefined, null],
  })
})
