'use strict'

// What an error of the fallback is to whoever asked for a lock. A provider may fail in any way when what it stands on is
// away; all of these are told as one. A mistake in the code, and what our own classes say, stay what they are.

const { QuorumUnavailableError, isLockError } = require('../errors')
const failure = require('../failure')
const { redact, shorten } = require('../invalid')
const { textOf } = require('../report')

const SHOWN_CHARS = 200

/**
 * @param {unknown} error with which the provider has rejected, before anything was granted
 * @param {Error} nodes why the nodes could not be asked
 */
function explained(error, key, nodes) {
  if (error instanceof QuorumUnavailableError) return failure.bothUnavailable(key, nodes, error, error.message)
  if (isLockError(error) || isMistake(error) || error?.name === 'AbortError') return error
  return failure.bothUnavailable(key, nodes, error, wordsOf(error))
}

/** That fetch() rejects with a TypeError when it reaches nobody is no mistake: it has the reason as its cause. */
const isMistake = (error) => (error instanceof TypeError || error instanceof RangeError) && error.cause === undefined

/** Whatever a provider of the user rejects with. What Node.js tells of several addresses has a code, and no message. */
function wordsOf(error) {
  const text = textOf(error) || String(error.code ?? error.name)
  return shorten(text.includes('://') ? redact(text) : text, SHOWN_CHARS)
}

module.exports = { explained }
