'use strict'

// The error classes: one per answer to "what should the caller do?". Native code never makes them; it reports plain
// values. `instanceof` goes by a registered symbol, so that an error is recognised across copies of this package and
// across vm contexts; a subclass written by a user keeps the ordinary prototype test.

const { NONE } = require('./votes')

const brandOf = (name) => Symbol.for(`quorlock.${name}`)

function brand(Class, code) {
  const symbol = brandOf(Class.name)
  Object.defineProperty(Class.prototype, 'name', { value: Class.name, configurable: true, writable: true })
  Object.defineProperty(Class.prototype, symbol, { value: true })
  Object.defineProperty(Class, Symbol.hasInstance, {
    configurable: true,
    value(candidate) {
      if (this === Class) return hasBrand(candidate, symbol)
      return Function.prototype[Symbol.hasInstance].call(this, candidate)
    },
  })
  CODES.set(Class, code)
}

const CODES = new Map()

const hasBrand = (candidate, symbol) =>
  candidate !== null && typeof candidate === 'object' && candidate[symbol] === true

class LockError extends Error {
  constructor(message, { key, attempts = 0, retryAfter, votes = NONE, cause } = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = codeOf(new.target)
    this.key = key
    this.attempts = attempts
    if (retryAfter !== undefined) this.retryAfter = retryAfter
    this.votes = Object.isFrozen(votes) ? votes : Object.freeze([...votes])
  }
}

class LockContendedError extends LockError {
  constructor(message, details = {}) {
    super(message, details)
    if (details.reentrant) this.reentrant = true
  }
}

class QuorumUnavailableError extends LockError {}

class LockLostError extends LockError {
  constructor(message, details = {}) {
    super(message, details)
    this.reason = details.reason
    if ('result' in details) this.result = details.result
  }
}

class RedlockClosedError extends LockError {}

brand(LockError, 'ERR_LOCK')
brand(LockContendedError, 'ERR_LOCK_CONTENDED')
brand(QuorumUnavailableError, 'ERR_QUORUM_UNAVAILABLE')
brand(LockLostError, 'ERR_LOCK_LOST')
brand(RedlockClosedError, 'ERR_REDLOCK_CLOSED')

/** The code of the nearest class of ours, so that a user's subclass keeps it. */
function codeOf(Class) {
  let ancestor = Class
  while (!CODES.has(ancestor)) ancestor = Object.getPrototypeOf(ancestor)
  return CODES.get(ancestor)
}

/** True for every error of this package, whichever copy of it made the error. */
const isLockError = (error) => hasBrand(error, brandOf('LockError'))

module.exports = {
  LockError,
  LockContendedError,
  QuorumUnavailableError,
  LockLostError,
  RedlockClosedError,
  isLockError,
}
