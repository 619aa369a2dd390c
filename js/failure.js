'use strict'

// From what native code reports to the error the caller sees: which class, which words.

const { LockContendedError, QuorumUnavailableError, LockLostError, RedlockClosedError } = require('./errors')
const { votesInWords, countVotes } = require('./votes')
const { shorten } = require('./invalid')

const KEYS_SHOWN = 3

const LOST_REASONS = ['expired', 'gone', 'maxHold', 'stalled', 'closed']

const LOST_WORDS = {
  expired: 'its validity ran out, and no quorum of nodes had confirmed a renewal',
  gone: 'its keys are gone or held by another on too many nodes',
  maxHold: 'it was held for maxHold, after which it is not renewed any more',
  stalled: 'the event loop was blocked for stallLimit, after which it is not renewed any more',
  closed: 'this Redlock was closed before it was released',
  released: 'it has been released',
}

/**
 * Rejects a call of the user by resolving its promise with this one. The error is made two microtasks later, when the
 * user's `await` is linked to it, so that its stack names the user's async functions at no cost to calls that succeed.
 */
async function failWith(make) {
  await undefined
  await undefined
  const error = make()
  Error.captureStackTrace(error, failWith) // our own frames say nothing
  throw error
}

function contended(key, { attempts, retryAfter, votes }, nodes) {
  const refused = countVotes(votes, 'refused')
  const by = refused > 0 ? `held by another on ${refused} of ${nodes} nodes` : unrefused(votes)
  const text = `could not lock ${inQuotes(key)}: ${by}${after(attempts)}${list(votes)}${hint(retryAfter)}`
  const error = new LockContendedError(text, { key, attempts, retryAfter, votes })
  return nodes > 0 && refused === 0 ? ofNobody(error) : error
}

const OF_NOBODY = Symbol.for('quorlock.ofNobody') // which every copy of this package understands

/** Says nothing of others: no node has refused, or what was granted had run out before it could be used. */
const ofNobody = (error) => Object.defineProperty(error, OF_NOBODY, { value: true })
const isOfNobody = (error) => error[OF_NOBODY] === true

/** Nobody has said that another holds it: too few have answered, or it was not asked for, since this process wanted it anyway. */
const unrefused = (votes) =>
  countVotes(votes, 'granted') > 0 ? 'the votes were split' : 'not granted before the wait ended'

function unavailable(key, { attempts, retryAfter, votes }, nodes, quorum) {
  const voted = nodes - countVotes(votes, 'faulted')
  const text = `could not lock ${inQuotes(key)}: ${tooFew(voted, nodes, quorum)}${after(attempts)}${list(votes)}`
  return new QuorumUnavailableError(text, { key, attempts, retryAfter, votes })
}

function notConnected(timeout, { attempts, votes }, nodes, quorum) {
  const voted = nodes - countVotes(votes, 'faulted')
  const text = `could not connect within ${timeout} ms: ${tooFew(voted, nodes, quorum)}${list(votes)}`
  return new QuorumUnavailableError(text, { attempts, votes })
}

/** The system has nothing left to ask any node with, which is told as if none could be reached: so it would be. */
function notStarted(message, names) {
  const votes = names.map((node) => Object.freeze({ node, vote: 'faulted', code: 'CONNECT', message }))
  return new QuorumUnavailableError(`could not start: ${message}`, { votes })
}

/** The breaker is open: the nodes were not asked. `last` is what they had answered. */
function circuitOpen(key, last, votes) {
  const text = `could not lock ${inQuotes(key)}: the circuit breaker is open, the nodes were not asked${list(votes)}`
  return new QuorumUnavailableError(text, { key, votes, cause: last ?? undefined })
}

/**
 * @param {Error} nodes why they could not be asked
 * @param {unknown} fallback what it rejected with
 * @param {string} words the same for people
 */
function bothUnavailable(key, nodes, fallback, words) {
  const text = `could not lock ${inQuotes(key)}: no quorum of nodes, and the fallback is away too: ${words}`
  return new QuorumUnavailableError(text, { key, attempts: nodes.attempts, votes: nodes.votes, cause: fallback })
}

/** The fallback was asked, and has not said anything. */
function fallbackSilent(key, nodes, ms) {
  const error = Object.assign(new Error(`no answer within ${ms} ms`), { code: 'TIMEOUT' })
  return bothUnavailable(key, nodes, error, error.message)
}

/** Whatever it has given was over when it came. */
function fallbackLate(key, nodes) {
  const error = Object.assign(new Error('its lock had expired when it came'), { code: 'TIMEOUT' })
  return bothUnavailable(key, nodes, error, error.message)
}

/** This process never gives a key by one layer while it holds it by the other. */
function heldByNodes(key, remaining) {
  const retryAfter = remaining > 0 ? Math.ceil(remaining) : undefined
  const why = 'this process still holds it, granted by the nodes before they went away'
  return new LockContendedError(`could not lock ${inQuotes(key)}: ${why}${hint(retryAfter)}`, { key, retryAfter })
}

function heldByFallback(key) {
  const why = 'this process still holds it, granted by the fallback while the nodes were away'
  return new LockContendedError(`could not lock ${inQuotes(key)}: ${why}`, { key })
}

const tooFew = (voted, nodes, quorum) => `no quorum, ${voted} of ${nodes} nodes could vote and ${quorum} are needed`

function lost(key, reason, attempts, votes) {
  const text = `lost the lock ${inQuotes(key)}: ${LOST_WORDS[reason]}${list(votes)}`
  return new LockLostError(text, { key, reason, attempts, votes })
}

function lostMeanwhile(key, reason, attempts, votes, result) {
  const text = `lost the lock ${inQuotes(key)} before the function had returned: ${LOST_WORDS[reason]}${list(votes)}`
  return new LockLostError(text, { key, reason, attempts, votes, result })
}

function notExtended(key, reason, attempts, votes) {
  const text = `could not extend the lock ${inQuotes(key)}: ${LOST_WORDS[reason]}${list(votes)}`
  return new LockLostError(text, { key, reason, attempts, votes })
}

function reentrant(key) {
  const why = 'the async context that asks already holds it, so that waiting for it would be a deadlock'
  return new LockContendedError(`could not lock ${inQuotes(key)}: ${why}`, { key, reentrant: true })
}

/** A `DistributedLock` holds one lock at a time. */
function alreadyTaken(key, state) {
  const text = `could not lock ${inQuotes(key)}: this DistributedLock ${state}; release() it first, or use another one`
  return new LockContendedError(text, { key, reentrant: true })
}

/** Granted, but the event loop was busy until the validity was over, and no time is left to try again. */
function grantedTooLate(key, attempts, votes) {
  const text = `could not lock ${inQuotes(key)}: it was granted, but expired before the function could start`
  return ofNobody(new LockContendedError(`${text}${after(attempts)}${list(votes)}`, { key, attempts, votes }))
}

/** `what` was asked for: to lock, connect or inspect. */
function closed(what, key) {
  const name = key === undefined ? '' : ` ${inQuotes(key)}`
  return new RedlockClosedError(`could not ${what}${name}: this Redlock was closed, or drained to be closed`, { key })
}

/** A test is over, and what it has left is cleared away. */
function reset(what, key) {
  const name = key === undefined ? '' : ` ${inQuotes(key)}`
  return new RedlockClosedError(`could not ${what}${name}: reset() was called meanwhile`, { key })
}

const after = (attempts) => ` after ${attempts} attempt${attempts === 1 ? '' : 's'}`

const list = (votes) => (votes.length === 0 ? '' : ` (${votesInWords(votes)})`)

const hint = (retryAfter) => (retryAfter === undefined ? '' : `; try again in ${retryAfter} ms`)

function inQuotes(key) {
  if (typeof key === 'string') return JSON.stringify(shorten(key))
  const shown = key.slice(0, KEYS_SHOWN).map((one) => JSON.stringify(shorten(one)))
  return key.length > KEYS_SHOWN ? `${shown.join(', ')} and ${key.length - KEYS_SHOWN} more` : shown.join(', ')
}

module.exports = {
  reset,
  LOST_REASONS,
  failWith,
  contended,
  isOfNobody,
  unavailable,
  notConnected,
  notStarted,
  circuitOpen,
  bothUnavailable,
  fallbackSilent,
  fallbackLate,
  heldByNodes,
  heldByFallback,
  lost,
  lostMeanwhile,
  notExtended,
  reentrant,
  alreadyTaken,
  grantedTooLate,
  closed,
}
