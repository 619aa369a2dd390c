'use strict'

// The options `fallback`, `fallbackAfter` and `breaker`, of an instance and of one call.

const { wrongType, wrongValue, described, show } = require('../invalid')
const { MAX_MS, plainObject, onlyKnown, integer } = require('../argument')

const WANTED = "be 'throw', 'local' or a LockProvider (an object with createLock and withLock)"

/** Long enough for a connection to be made anew; short enough for a customer who waits. */
const AFTER_MS = 1000

const BREAKER_NAMES = ['failures', 'probeInterval', 'successes']
const MAX_COUNT = 1_000_000

/**
 * @returns {{ to: 'throw' | 'local' | object, after: number, breaker: object | null, breaksAll: boolean }}
 * `breaksAll`: whether the breaker is for every call; else only for those that name a fallback of their own
 */
function parseFallback({ fallback, fallbackAfter, breaker }, maxTtl) {
  const to = fallback === undefined ? 'throw' : checkFallback(fallback)
  checkReach(to, maxTtl, 'every ttl up to maxTtl')
  return {
    to,
    after: fallbackAfter === undefined ? AFTER_MS : checkAfter(fallbackAfter),
    breaker: parseBreaker(breaker === undefined ? {} : breaker),
    breaksAll: breaker === undefined ? to !== 'throw' : breaker !== false,
  }
}

function checkFallback(value) {
  if (value === 'throw' || value === 'local') return value
  if (typeof value === 'string') throw wrongValue('fallback', WANTED, value)
  const isProvider = typeof value?.createLock === 'function' && typeof value?.withLock === 'function'
  if (!isProvider) throw wrongType('fallback', WANTED, value)
  return value
}

/**
 * What a provider would refuse is told before it is needed, not in the middle of an outage.
 *
 * @param {string} what `ttl` is
 * @throws {RangeError} where the provider says that it takes no ttl as long as that
 */
function checkReach(fallback, ttl, what) {
  const { maxTtl } = fallback
  if (maxTtl === undefined) return
  if (typeof maxTtl !== 'number') throw wrongType('fallback.maxTtl', 'be a number, in milliseconds', maxTtl)
  if (maxTtl >= ttl) return
  const got = `one whose own maxTtl is ${show(maxTtl)}`
  throw described(RangeError, 'ERR_OUT_OF_RANGE', 'fallback', `take ${what} (${ttl})`, got)
}

const checkAfter = (value) => integer('fallbackAfter', value, 0, MAX_MS)

function parseBreaker(value) {
  if (value === false) return null
  plainObject('breaker', value, 'be false or an object like { failures, probeInterval, successes }')
  onlyKnown('breaker', value, BREAKER_NAMES)
  const { failures = 3, probeInterval = 1000, successes = 2 } = value
  return {
    failures: integer('breaker.failures', failures, 1, MAX_COUNT, { unit: '' }),
    probeInterval: integer('breaker.probeInterval', probeInterval, 0, MAX_MS),
    successes: integer('breaker.successes', successes, 1, MAX_COUNT, { unit: '' }),
  }
}

module.exports = { parseFallback, checkFallback, checkReach, checkAfter }
