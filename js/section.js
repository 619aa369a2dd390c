'use strict'

// withLock: acquire, call the user's function, release. What the function returned or threw passes through untouched,
// whatever becomes of the release; only a result without the lock is refused, where the call says so.

const { totalWait } = require('./call-options')
const { reasonOf } = require('./call')
const { runHolding, enterSection, leaveSection } = require('./reentrancy')
const failure = require('./failure')
const { friend } = require('./lock')

/**
 * @param {{ key: string | readonly string[], keys: string[] | null, ttl: number, retry: object | null, signal: AbortSignal | null, renew: boolean }} request
 * @param {((retry: object | null) => Promise<object>) | null} layers how the nodes are asked where there is a fallback
 */
async function runSection(desk, request, fn, whenLost, layers = null) {
  const since = performance.now()
  let lock = await ask(desk, request, request.retry, layers)
  if (!lock.isHeld || isAborted(request)) lock = await askAgain(desk, request, lock, since, layers)
  // A function may wait for nothing but its lock's signal: then nobody else reaches the lock, nor this function.
  desk.running.add(lock)
  enterSection()
  try {
    const result = await runHolding(desk.settings.scope, request.key, lock, fn)
    if (whenLost === 'reject') await friend.mustNotBeLost(lock, result)
    return result
  } finally {
    leaveSection()
    desk.running.delete(lock)
    await lock.release() // never rejects
  }
}

/**
 * The grant was checked when it was delivered, but other microtasks may have run since. What is not held any more is
 * a failed round: given back, and tried again with what is left of the wait.
 */
async function askAgain(desk, request, stale, since, layers) {
  const base = request.retry ?? desk.settings.retry
  const total = totalWait(base)
  let lock = stale
  let attempts = stale.attempts
  while (!lock.isHeld || isAborted(request)) {
    await lock.release()
    if (isAborted(request)) throw reasonOf(request.signal)
    if (desk.isClosing) throw failure.closed('lock', request.key)
    const left = Math.floor(total - (performance.now() - since))
    if (left <= 0) throw failure.grantedTooLate(request.key, attempts, lock.votes)
    lock = await ask(desk, request, { ...base, wait: left }, layers)
    attempts += lock.attempts
  }
  return lock
}

const ask = (desk, { key, keys, ttl, renew, signal }, retry, layers) =>
  layers === null ? desk.acquire(key, ttl, false, renew, keys, retry, signal) : layers(retry)

const isAborted = ({ signal }) => signal?.aborted === true

module.exports = { runSection }
