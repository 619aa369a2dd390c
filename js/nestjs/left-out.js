'use strict'

// Calls under @WithLock that did not get their lock and are left out, where an error would be of no use to anybody.

const { IS_DRAINED } = require('../closing')
const { LockContendedError, RedlockClosedError } = require('../errors')
const { warn } = require('../report')

/** What @nestjs/bullmq notes on the handlers of events. BullMQ calls them, and nobody catches what they reject with. */
const EVENT_NOTES = ['bullmq:worker_events_metadata', 'bullmq:queue_events_metadata']

/**
 * Others have it; or the application shuts down, where nobody may be left to hear of an error: a job's last event, a tick
 * that is late. A deadlock is a mistake in any case, and so is a fallback that was closed before its time.
 */
const isReasonToSkip = (error, redlock) =>
  isItsEnd(error, redlock) || (error instanceof LockContendedError && !error.reentrant)

/** A test's stand-in does not tell what its error is of: then it is taken for its own. */
const isItsEnd = (error, redlock) => error instanceof RedlockClosedError && redlock[IS_DRAINED] !== false

/**
 * Handlers of BullMQ's events, during a shutdown: an error would end the process in the middle of it. The note is looked
 * for now, as it may stand above @WithLock.
 *
 * @param {Function} handler that @WithLock has made
 */
function leaveOut(error, redlock, handler, where) {
  const isHandler = EVENT_NOTES.some((note) => Reflect.hasMetadata?.(note, handler))
  if (!isHandler || !isItsEnd(error, redlock)) return false
  warn('LEFT_OUT', `@WithLock() on ${where}: not called for an event that came during the shutdown: ${error.message}`)
  return true
}

module.exports = { isReasonToSkip, leaveOut }
