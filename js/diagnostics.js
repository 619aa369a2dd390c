'use strict'

// What happens to locks and nodes, published on `node:diagnostics_channel` for metrics, traces and logs. Whoever may
// publish looks at `hasSubscribers` first: where nobody has subscribed in this thread, nothing here is called.
//
// A call that is watched hands out a promise of its own, so that a rejection nobody handles stays one, and its message
// comes in the caller's async context, before the caller goes on.

const { channel } = require('node:diagnostics_channel')
const { isLockError } = require('./errors')

const channels = {
  acquire: channel('quorlock:acquire'),
  extend: channel('quorlock:extend'),
  release: channel('quorlock:release'),
  lost: channel('quorlock:lost'),
  node: channel('quorlock:node'),
}

const OUTCOMES = {
  ERR_LOCK_CONTENDED: 'contended',
  ERR_QUORUM_UNAVAILABLE: 'unavailable',
  ERR_REDLOCK_CLOSED: 'closed',
}

/** When each lock was granted that was granted while somebody listened to releases. */
const grants = new WeakMap()

/**
 * @param {Promise<object | null>} answer of a call for a lock; null is `tryAcquire` finding it taken
 * @returns {Promise<object | null>} the same answer, told before it is passed on
 */
async function watchAcquire(redlock, key, ttl, signal, answer) {
  const since = performance.now()
  const told = Array.isArray(key) ? Object.freeze([...key]) : key
  const tell = (outcome, attempts, degraded) =>
    channels.acquire.publish({
      redlock,
      key: told,
      ttl,
      outcome,
      waited: performance.now() - since,
      attempts,
      degraded,
    })
  try {
    const lock = await answer
    if (lock === null) tell('contended', 1, false)
    else tell('acquired', lock.attempts, lock.degraded === true)
    return lock
  } catch (error) {
    const outcome = outcomeOf(error, signal)
    const isCounted = outcome === 'contended' || outcome === 'unavailable'
    if (outcome !== undefined) tell(outcome, isCounted ? error.attempts : undefined, false)
    throw error
  }
}

/** @returns {string | undefined} undefined for bad input, of which nothing is told */
function outcomeOf(error, signal) {
  if (signal?.aborted === true && (error === signal.reason || !isLockError(error))) return 'aborted'
  return isLockError(error) ? OUTCOMES[error.code] : undefined
}

/** The lock was handed to its caller. */
const noteGrant = (lock) => grants.set(lock, performance.now())

/** @param {Promise<string>} answer of the first `release()`; never rejects */
function watchRelease(redlock, lock, answer) {
  const since = grants.get(lock)
  const held = since === undefined ? undefined : performance.now() - since
  answer.then((outcome) => {
    channels.release.publish({ redlock, key: lock.key, id: lock.id, held, outcome })
  })
}

/** @returns {Promise<void>} the same answer as that of `extend()`, told before it is passed on */
async function watchExtend(redlock, lock, ttl, before, answer) {
  const end = performance.now() + before
  const tell = (outcome) => {
    const left = Math.max(0, end - performance.now())
    channels.extend.publish({ redlock, key: lock.key, id: lock.id, ttl, outcome, left })
  }
  try {
    await answer
    tell('extended')
  } catch (error) {
    if (isLockError(error)) tell(error.reason)
    throw error
  }
}

function tellLost(redlock, { key, id }, reason) {
  channels.lost.publish({ redlock, key, id, reason })
}

/** @param {'up' | 'down' | 'quarantined'} state */
function tellNode(redlock, node, state, error) {
  channels.node.publish({ redlock, node, state, error })
}

module.exports = { channels, watchAcquire, noteGrant, watchRelease, watchExtend, tellLost, tellNode }
