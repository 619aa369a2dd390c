'use strict'

// What can go wrong between us and Postgres, as errors of the package.

const { LockContendedError, LockLostError, QuorumUnavailableError } = require('../errors')
const { shorten } = require('../invalid')

const NODE = 'postgres'
const SHOWN_CHARS = 200

/** Codes of the classes "connection exception", "insufficient resources" and "operator intervention", and the like. */
const AWAY = /^(08|53|57P|58|XX)/

const plain = (code, message) => Object.assign(new Error(message), { code })

const noAnswer = (ms) => plain('TIMEOUT', `no answer within ${Math.ceil(ms)} ms`)
const noConnection = (ms) => plain('TIMEOUT', `the pool had no connection within ${Math.ceil(ms)} ms`)
const ended = () => plain('CONNECT', 'the connection was ended')

/** What Postgres said to a statement, the connection being sound. */
const isRefusal = ({ code }) => typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !AWAY.test(code)

function contended(key, attempts) {
  const text = `could not lock ${inQuotes(key)}: held by another in Postgres${after(attempts)}`
  return new LockContendedError(text, { key, attempts })
}

function unavailable(key, attempts, cause) {
  const message = shorten(String(cause.message), SHOWN_CHARS)
  const votes = [Object.freeze({ node: NODE, vote: 'faulted', code: codeOf(cause), message })]
  const text = `could not lock ${inQuotes(key)}: Postgres did not answer${after(attempts)} (${NODE} faulted: ${message})`
  return new QuorumUnavailableError(text, { key, attempts, votes, cause })
}

const codeOf = ({ code }) =>
  code === 'TIMEOUT' || code === '57014' ? 'TIMEOUT' : /^28/.test(code) ? 'AUTH' : 'CONNECT'

const LOST_WORDS = {
  expired: 'its ttl has passed without renewal',
  gone: 'the connection that had it is gone',
  maxHold: 'it was held for maxHold, after which it is not renewed any more',
  closed: 'its PostgresLockProvider was closed before it was released',
  released: 'it has been released',
}

function lost(key, reason, attempts) {
  return new LockLostError(`lost the lock ${inQuotes(key)}: ${LOST_WORDS[reason]}`, { key, reason, attempts })
}

function notExtended(key, reason, attempts) {
  const text = `could not extend the lock ${inQuotes(key)}: ${LOST_WORDS[reason]}`
  return new LockLostError(text, { key, reason, attempts })
}

/** What a function returned that had not the lock any more. */
function lostMeanwhile(key, reason, attempts, result) {
  const text = `lost the lock ${inQuotes(key)} before the function had returned: ${LOST_WORDS[reason]}`
  return new LockLostError(text, { key, reason, attempts, result })
}

/** Of a transaction that has not been committed, or of which nobody knows. */
function notCommitted(key, why, result, cause) {
  const text = `lost the lock ${inQuotes(key)} before its transaction was committed: ${why}`
  return new LockLostError(text, { key, reason: 'gone', attempts: 1, result, cause })
}

const after = (attempts) => ` after ${attempts} attempt${attempts === 1 ? '' : 's'}`

const inQuotes = (key) => (typeof key === 'string' ? JSON.stringify(shorten(key)) : shorten(JSON.stringify(key)))

module.exports = {
  noAnswer,
  noConnection,
  ended,
  isRefusal,
  contended,
  unavailable,
  lost,
  notExtended,
  lostMeanwhile,
  notCommitted,
}
