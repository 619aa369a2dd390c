'use strict'

// The constructor's options: all checked, all defaults filled in, once. What comes out is `settings`, frozen: the only
// thing the rest reads. Passwords leave here in `native` only; functions that give them stay in `passwords`.

const { wrongType, wrongValue, outOfRange } = require('./invalid')
const { MAX_MS, MIN_TTL, plainObject, onlyKnown, integer, fraction, flag } = require('./argument')
const { PROCESS, LAB } = require('./clock')
const { parseFallback } = require('./fallback/options')
const { checkPrefix, boundaryOf } = require('./key')
const { parseNodes } = require('./nodes')

const NAMES = [
  'nodes',
  'keyPrefix',
  'quorum',
  'driftFactor',
  'retryCount',
  'retryDelay',
  'retryDelayMax',
  'wait',
  'nodeTimeout',
  'connectTimeout',
  'defaultTtl',
  'maxTtl',
  'renew',
  'maxHold',
  'stallLimit',
  'handoverLimit',
  'fencing',
  'restartGuard',
  'clientName',
  'fallback',
  'fallbackAfter',
  'breaker',
]

/** Only `undefined` means "not given": a null is somebody's mistake and is told. */
const or = (value, fallback) => (value === undefined ? fallback : value)

/** In native code's order. */
const GUARDS = [false, 'observed', 'strict']

const MAX_RETRIES = 1_000_000
const DEFAULT_RETRY = Object.freeze({ retryCount: 10, retryDelay: 50, retryDelayMax: 1000 })
const MAX_DRIFT_FACTOR = 0.5
const MAX_HANDOVERS = 1_000_000
const MAX_TTL = 86_400_000
const MAX_CLIENT_NAME = 128

function parseOptions(options) {
  plainObject('options', options, "be an object with nodes, like { nodes: ['redis://localhost:6379'] }")
  onlyKnown('options', options, NAMES)

  const lab = options[LAB] ?? null
  const { natives, names, passwords, addresses } = lab === null ? parseNodes(options.nodes) : lab.nodes
  const keyPrefix = checkPrefix(or(options.keyPrefix, ''))
  const majority = Math.floor(natives.length / 2) + 1
  const retry = parseRetry(options)
  const maxTtl = integer('maxTtl', or(options.maxTtl, 60_000), MIN_TTL, MAX_TTL)
  const defaultTtl = integer('defaultTtl', or(options.defaultTtl, Math.min(5000, maxTtl)), MIN_TTL, maxTtl, {
    maxName: 'maxTtl',
  })
  const native = {
    nodes: natives,
    keyPrefix,
    quorum: integer('quorum', or(options.quorum, majority), majority, natives.length, {
      unit: '',
      minName: 'the majority',
      maxName: 'all nodes',
    }),
    driftFactor: fraction('driftFactor', or(options.driftFactor, 0.01), 0, MAX_DRIFT_FACTOR),
    ...retry,
    nodeTimeout: integer('nodeTimeout', or(options.nodeTimeout, 250), 1, MAX_MS),
    connectTimeout: integer('connectTimeout', or(options.connectTimeout, 2000), 1, MAX_MS),
    maxTtl,
    maxHold: integer('maxHold', or(options.maxHold, 600_000), MIN_TTL, MAX_MS),
    stallLimit: integer('stallLimit', or(options.stallLimit, 60_000), MIN_TTL, MAX_MS),
    handoverLimit: integer('handoverLimit', or(options.handoverLimit, 64), 1, MAX_HANDOVERS, { unit: '' }),
    fencing: flag('fencing', or(options.fencing, false)),
    restartGuard: GUARDS.indexOf(checkGuard(or(options.restartGuard, natives.length >= 3 ? 'observed' : false))),
  }
  if (options.clientName !== undefined) native.clientName = checkClientName(options.clientName)

  return Object.freeze({
    native,
    names,
    passwords,
    lab,
    clock: lab ?? PROCESS,
    scope: JSON.stringify([[...addresses].sort(), keyPrefix]),
    boundary: boundaryOf(keyPrefix),
    retry,
    maxTtl,
    defaultTtl,
    renew: flag('renew', or(options.renew, true)),
    fallback: parseFallback(options, maxTtl),
  })
}

/** @returns {{ retryCount: number, retryDelay: number, retryDelayMax: number, wait?: number }} */
function parseRetry(options) {
  const retryDelay = integer('retryDelay', or(options.retryDelay, DEFAULT_RETRY.retryDelay), 1, MAX_MS)
  const delayMax = or(options.retryDelayMax, Math.max(DEFAULT_RETRY.retryDelayMax, retryDelay))
  const retryDelayMax = integer('retryDelayMax', delayMax, 1, MAX_MS)
  if (retryDelayMax < retryDelay) {
    throw outOfRange('retryDelayMax', `be at least retryDelay (${retryDelay})`, retryDelayMax)
  }
  const retry = {
    retryCount: integer('retryCount', or(options.retryCount, DEFAULT_RETRY.retryCount), 0, MAX_RETRIES, { unit: '' }),
    retryDelay,
    retryDelayMax,
  }
  if (options.wait !== undefined) retry.wait = integer('wait', options.wait, 0, MAX_MS)
  return retry
}

function checkGuard(value) {
  if (!GUARDS.includes(value)) throw wrongValue('restartGuard', "be 'observed', 'strict' or false", value)
  return value
}

/** CLIENT SETNAME refuses spaces and control characters; we say so before connecting. */
function checkClientName(value) {
  const wanted = `be a string of 1 to ${MAX_CLIENT_NAME} visible ASCII characters without spaces`
  if (typeof value !== 'string') throw wrongType('clientName', wanted, value)
  if (!/^[!-~]+$/.test(value) || value.length > MAX_CLIENT_NAME) throw wrongValue('clientName', wanted, value)
  return value
}

module.exports = { parseOptions, MAX_RETRIES, MAX_TTL, DEFAULT_RETRY }
