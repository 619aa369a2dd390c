'use strict'

// withLock in Postgres. In the session form what the function returned or threw passes through untouched. In the
// transaction form a result whose transaction was not committed is none, and is told as an error.

const { runHolding, enterSection, leaveSection } = require('../reentrancy')
const failure = require('./failure')
const { friend } = require('./lock')

async function runSection(lock, scope, key, fn, { whenLost, commits }) {
  enterSection()
  let result
  try {
    result = await runHolding(scope, key, lock, fn)
  } catch (error) {
    await friend.cancel(lock)
    throw error
  } finally {
    leaveSection()
  }
  const lost = friend.lost(lock)
  const answer = await lock.release()
  if (commits) mustBeCommitted(lock, lost, answer, result)
  else if (whenLost === 'reject' && (lost !== null || answer === 'expired')) {
    throw failure.lostMeanwhile(key, lost?.reason ?? 'gone', lock.attempts, result)
  }
  return result
}

function mustBeCommitted(lock, lost, answer, result) {
  if (answer === 'released') return
  const error = friend.error(lock)
  // A constraint that is checked at the end, say: the user's own, as Postgres told it.
  if (error !== null && failure.isRefusal(error)) throw error
  if (lost !== null) throw failure.lostMeanwhile(lock.key, lost.reason, lock.attempts, result)
  const why =
    answer === 'expired'
      ? 'a statement in it had failed, so that Postgres has rolled it back'
      : `whether it was is unknown: ${error?.message}`
  throw failure.notCommitted(lock.key, why, result, error ?? undefined)
}

module.exports = { runSection }
