'use strict'

// withLock: acquire, call the user's function, release. What the function returned or threw passes through untouched,
// whatever becomes of the release; only a result without the lock is refused, where the call says so.

const { totalWait } = require('./call-options')
const { reasonOf } = require('./call')
const { channels, watchAcquire } = require('./diagnostics')
const { runHolding, enterSection, leaveSection } = require('./reentrancy')
const failure = require('./failure')
const { friend } = require('./lock')

/**
 * @param {{ key: string | readonly string[], keys: string[] | null, ttl: number, retry: object | null, signal: AbortSignal | null, renew: boolean }} request
 * @param {((retry: object | null) => Promise<object>) | null} layers how the nodes are asked where there is a fallback;
 * then whoever asks tells of it, too
 */
async function runSection(desk, request, fn, whenLost, layers = null) {
  const since = desk.clock.now()
  let lock
  if (channels.acquire.hasSubscribers && layers === null) lock = await takeWatched(desk, request, since)
  else {
    lock = await ask(desk, request, request.retry, layers)
    if (isStale(lock, request)) lock = await askAgain(desk, request, lock, since, layers)
  }
  // A function may wait for nothing but its lock's signal: then nobody else reaches the lock, nor this function.
  desk.running.add(lock)
  enterSection()
  if (whenLost === 'reject') friend.mustBeProven(lock)
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

/** As the two lines above, told as one call whatever it took; without subscribers one promise less is made. */
function takeWatched(desk, request, since) {
  const take = async () => {
    const lock = await ask(desk, request, request.retry, null)
    return isStale(lock, request) ? askAgain(desk, request, lock, since, null) : lock
  }
  return watchAcquire(desk.redlock, request.key, request.ttl, request.signal, take())
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
  while (isStale(lock, request)) {
    await lock.release()
    if (isAborted(request)) throw reasonOf(request.signal)
    if (desk.isClosing) throw failure.closed('lock', request.key)
    const left = Math.floor(total - (desk.clock.now() - since))
    if (left <= 0) throw failure.grantedTooLate(request.key, attempts, lock.votes)
    lock = await ask(desk, request, { ...base, wait: left }, layers)
    attempts += lock.attempts
  }
  return lock
}

const ask = (desk, { key, keys, ttl, renew, signal }, retry, layers) =>
  layers === null ? desk.acquire(key, ttl, false, renew, keys, retry, signal) : layers(retry)

const isStale = (lock, request) => !lock.isHeld || isAborted(request)

const isAborted = ({ signal }) => signal?.aborted === true

module.exports = { runSection }
