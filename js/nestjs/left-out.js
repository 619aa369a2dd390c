'use strict'

// Calls under @WithLock that did not get their lock and are left out, where an error would be of no use to anybody.

const { IS_DRAINED } = require('../closing')
const { LockContendedError, RedlockClosedError } = require('../errors')
const { isOfNobody } = require('../failure')
const { warn } = require('../report')

/** What @nestjs/bullmq and @nestjs/bull note on the handlers of events. Nobody catches what these reject with. */
const EVENT_NOTES = ['bullmq:worker_events_metadata', 'bullmq:queue_events_metadata', 'bull:module_on_queue_event']

/**
 * Others have it, so that the work is theirs. The end of the application is no such reason: whoever called, as a queue that
 * counts what it gives out, would take for done what nobody has done. Nor is a wait that ended before any node had refused, or
 * a lock that had run out before the method could begin: nobody knows then whether others have it. A deadlock is a mistake in
 * any case.
 */
const isContention = (error) => error instanceof LockContendedError && !error.reentrant && !isOfNobody(error)

/** A test's stand-in does not tell what its error is of: then it is taken for its own. */
const isItsEnd = (error, redlock) => error instanceof RedlockClosedError && redlock[IS_DRAINED] !== false

/**
 * Handlers of a queue's events, during a shutdown: an error would end the process in the middle of it. The note is looked
 * for now, as it may stand above @WithLock.
 *
 * @param {Function} handler that @WithLock has made
 */
function isLateEvent(error, redlock, handler) {
  return isItsEnd(error, redlock) && EVENT_NOTES.some((note) => Reflect.hasMetadata?.(note, handler))
}

/** What 'skip' says nothing of is told: the method may have wanted to run. */
function isLeftOut(error, { redlock, handler, where, isSkipping }) {
  if (isSkipping && isContention(error)) return true
  if (!isLateEvent(error, redlock, handler)) return false
  if (isSkipping) return true
  warn('LEFT_OUT', `@WithLock() on ${where}: not called for an event that came during the shutdown: ${error.message}`)
  return true
}

module.exports = { isLeftOut }
