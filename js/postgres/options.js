'use strict'

// The options of a PostgresLockProvider, checked once. The pool is the user's: what counts is what we use of it.

const { wrongType, wrongValue } = require('../invalid')
const { MAX_MS, MIN_TTL, plainObject, onlyKnown, integer, flag } = require('../argument')

const NAMES = [
  'pool',
  'mode',
  'namespace',
  'wait',
  'retryDelay',
  'retryDelayMax',
  'answerTimeout',
  'defaultTtl',
  'maxTtl',
  'renew',
  'maxHold',
]

const MAX_TTL = 86_400_000
const MAX_NAMESPACE_BYTES = 512

const or = (value, fallback) => (value === undefined ? fallback : value)

function parseProviderOptions(options) {
  plainObject('options', options, 'be an object with a pool, like { pool: new Pool() } of the package pg')
  onlyKnown('options', options, NAMES)
  const maxTtl = integer('maxTtl', or(options.maxTtl, 60_000), MIN_TTL, MAX_TTL)
  const retryDelay = integer('retryDelay', or(options.retryDelay, 20), 1, MAX_MS)
  return Object.freeze({
    pool: checkPool(options.pool),
    mode: checkMode(or(options.mode, 'session')),
    namespace: checkNamespace(or(options.namespace, 'quorlock')),
    retry: {
      wait: integer('wait', or(options.wait, 6550), 0, MAX_MS),
      retryCount: 10,
      retryDelay,
      retryDelayMax: integer('retryDelayMax', or(options.retryDelayMax, Math.max(250, retryDelay)), retryDelay, MAX_MS),
    },
    answerTimeout: integer('answerTimeout', or(options.answerTimeout, 2000), 1, MAX_MS),
    maxTtl,
    defaultTtl: integer('defaultTtl', or(options.defaultTtl, Math.min(5000, maxTtl)), MIN_TTL, maxTtl),
    renew: flag('renew', or(options.renew, true)),
    maxHold: integer('maxHold', or(options.maxHold, 600_000), MIN_TTL, MAX_MS),
  })
}

function checkPool(pool) {
  const wanted = 'be a pool of the package pg, which is yours to install and to end (npm install pg; new Pool())'
  if (typeof pool?.connect !== 'function' || typeof pool.query !== 'function') throw wrongType('pool', wanted, pool)
  return pool
}

function checkMode(mode) {
  if (mode !== 'session' && mode !== 'transaction') throw wrongValue('mode', "be 'session' or 'transaction'", mode)
  return mode
}

function checkNamespace(namespace) {
  const wanted = `be a string of at most ${MAX_NAMESPACE_BYTES} UTF-8 bytes`
  if (typeof namespace !== 'string') throw wrongType('namespace', wanted, namespace)
  if (Buffer.byteLength(namespace) > MAX_NAMESPACE_BYTES) throw wrongValue('namespace', wanted, namespace)
  return namespace
}

module.exports = { parseProviderOptions }
