'use strict'

// How native code is asked for a lock: by the call that carries least, since each word that crosses costs.

const RENEW = 1
const ONE_ROUND = 2

/**
 * @param {object | null} retry null = the settings of the instance, which native code knows
 * @returns {number} the slot
 */
function askForLock(desk, key, ttl, isTry, renew, keys, retry) {
  const flags = (renew ? RENEW : 0) + (isTry ? ONE_ROUND : 0)
  if (keys !== null) return desk.engine.acquireWith(keys, ttl, flags, retry ?? desk.settings.retry)
  if (retry === null) return desk.native.acquire(desk.id, key, ttl, flags)
  const { wait = -1, retryCount, retryDelay, retryDelayMax } = retry
  return desk.native.acquireWaiting(desk.id, key, ttl, flags, wait, retryCount, retryDelay, retryDelayMax)
}

module.exports = { askForLock }
