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

// The instances that nobody has made: what happens to their locks is told by who uses them.
const silent = new WeakSet()

/** Nothing is told of this instance. */
const hush = (redlock) => silent.add(redlock)

function publish(channel, message) {
  if (!silent.has(message.redlock)) channel.publish(message)
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
    publish(channels.acquire, {
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

/**
 * For a section whose lock may come from several sources: the grant is told before `fn` is called.
 *
 * @param {(start: (lock: object) => Promise<unknown>) => Promise<unknown>} run
 */
function watchSection(redlock, { key, ttl, signal }, fn, run) {
  let granted
  let failed
  const grant = new Promise((resolve, reject) => {
    granted = resolve
    failed = reject
  })
  const told = watchAcquire(redlock, key, ttl, signal, grant)
  told.catch(() => {}) // the section's own promise has it
  const work = run(async (lock) => {
    granted(lock)
    await told
    return fn(lock)
  })
  work.catch(failed) // after a grant that changes nothing
  return work
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
    publish(channels.release, { redlock, key: lock.key, id: lock.id, held, outcome })
  })
}

/** @returns {Promise<void>} the same answer as that of `extend()`, told before it is passed on */
async function watchExtend(redlock, lock, ttl, before, answer) {
  const end = performance.now() + before
  const tell = (outcome) => {
    const left = Math.max(0, end - performance.now())
    publish(channels.extend, { redlock, key: lock.key, id: lock.id, ttl, outcome, left })
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
  publish(channels.lost, { redlock, key, id, reason })
}

/** @param {'up' | 'down' | 'quarantined'} state */
function tellNode(redlock, node, state, error) {
  publish(channels.node, { redlock, node, state, error })
}

module.exports = {
  channels,
  hush,
  watchAcquire,
  watchSection,
  noteGrant,
  watchRelease,
  watchExtend,
  tellLost,
  tellNode,
}
