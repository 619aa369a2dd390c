'use strict'

// The options of one call, over the settings of the instance. `undefined` means "not given".

const { outOfRange, wrongValue } = require('./invalid')
const { MAX_MS, plainObject, onlyKnown, integer, flag, abortSignal } = require('./argument')
const { checkFallback, checkAfter } = require('./fallback/options')
const { MAX_RETRIES, DEFAULT_RETRY } = require('./options')

const NAMES = ['wait', 'retryCount', 'retryDelay', 'retryDelayMax', 'signal', 'renew', 'fallback', 'fallbackAfter']
const SECTION_NAMES = [...NAMES, 'whenLost']

/**
 * @returns {{ retry: object | null, signal: AbortSignal | null, renew: boolean, fallback?: string | object, after?: number }}
 * retry null = as the instance, and so are `fallback` and `after` where they are undefined
 */
function parseCallOptions(options, settings, renewDefault, names = NAMES) {
  plainObject('options', options)
  onlyKnown('options', options, names)
  return {
    retry: parseCallRetry(options, settings.retry),
    signal: options.signal === undefined ? null : abortSignal('signal', options.signal),
    renew: options.renew === undefined ? renewDefault : flag('renew', options.renew),
    fallback: options.fallback === undefined ? undefined : checkFallback(options.fallback),
    after: options.fallbackAfter === undefined ? undefined : checkAfter(options.fallbackAfter),
  }
}

/**
 * What a call says is stronger than what the instance says: a call's `retryCount` alone turns the instance's `wait`
 * off, and a call's `retryDelay` raises the instance's `retryDelayMax` where needed.
 */
function parseCallRetry({ wait, retryCount, retryDelay, retryDelayMax }, base) {
  if (wait === undefined && retryCount === undefined && retryDelay === undefined && retryDelayMax === undefined) {
    return null
  }
  const delay = retryDelay === undefined ? base.retryDelay : integer('retryDelay', retryDelay, 1, MAX_MS)
  const retry = {
    retryCount:
      retryCount === undefined ? base.retryCount : integer('retryCount', retryCount, 0, MAX_RETRIES, { unit: '' }),
    retryDelay: delay,
    retryDelayMax: Math.max(base.retryDelayMax, delay),
  }
  if (retryDelayMax !== undefined) {
    retry.retryDelayMax = integer('retryDelayMax', retryDelayMax, 1, MAX_MS)
    if (retryDelay === undefined) retry.retryDelay = Math.min(delay, retryDelayMax)
    else if (retryDelayMax < delay)
      throw outOfRange('retryDelayMax', `be at least retryDelay (${delay})`, retryDelayMax)
  }
  const time = wait === undefined && retryCount === undefined ? base.wait : wait
  if (time !== undefined) retry.wait = integer('wait', time, 0, MAX_MS)
  return retry
}

/**
 * The same for calls that come later, of an instance that is not known yet: only whether the options can be right. What a
 * call says is right or wrong whatever the instance says.
 */
function checkCallOptions(options, names) {
  parseCallOptions(options, { retry: DEFAULT_RETRY }, true, names)
  parseWhenLost(options)
}

/** How long a call may wait in all: `wait`, or else the sum of the delays before they are drawn. */
function totalWait({ wait, retryCount, retryDelay, retryDelayMax }) {
  if (wait !== undefined) return wait
  let sum = 0
  let delay = retryDelay
  for (let round = 0; round < retryCount; round += 1) {
    if (delay >= retryDelayMax) return sum + (retryCount - round) * retryDelayMax
    sum += delay
    delay *= 2
  }
  return sum
}

/** What becomes of a result that was reached without the lock; for options that have been parsed. */
function parseWhenLost({ whenLost = 'resolve' } = {}) {
  if (whenLost !== 'resolve' && whenLost !== 'reject') {
    throw wrongValue('whenLost', "be 'resolve' or 'reject'", whenLost)
  }
  return whenLost
}

module.exports = { parseCallOptions, parseWhenLost, checkCallOptions, totalWait, SECTION_NAMES }
