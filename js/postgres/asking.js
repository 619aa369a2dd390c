'use strict'

// Asks Postgres for a lock until it is granted or the wait is over: one short statement at a time, with growing pauses,
// each on a connection that goes back to the pool at once when the lock is taken.

const { reasonOf } = require('../call')
const { connect } = require('./connection')
const ends = require('./ends')
const failure = require('./failure')

/** Who asks when his wait is nearly over has so long for the answer, as nodes have nodeTimeout. */
const LAST_ANSWER_MS = 250

/**
 * @param {{ key, numbers, wait: number, deadline: number, retry: object }} request
 * @returns {Promise<{ connection, since: number, attempts: number } | null>} null: taken, and asked once only
 */
async function askPostgres(form, settings, request, isTry, signal) {
  const { key, numbers, wait, deadline, retry } = request
  let delay = retry.retryDelay
  for (let attempts = 1; ; attempts += 1) {
    let fault = null
    try {
      const limit = isTry || wait === 0 ? Infinity : Math.max(deadline - performance.now(), LAST_ANSWER_MS)
      const grant = await askOnce(form, settings, numbers, Math.min(limit, settings.answerTimeout), signal)
      if (grant !== null) return { ...grant, attempts }
    } catch (error) {
      if (signal.aborted) throw reasonOf(signal)
      fault = error
    }
    const left = deadline - performance.now()
    if (isTry || left <= 0) {
      if (fault !== null) throw failure.unavailable(key, attempts, fault)
      if (isTry) return null
      throw failure.contended(key, attempts)
    }
    await pause(Math.min(left, delay * (0.5 + Math.random() / 2)), signal)
    delay = Math.min(delay * 2, retry.retryDelayMax)
  }
}

/** What Postgres answers after `limit` is given back, and its connection with it; no answer at all ends the connection. */
async function askOnce(form, { pool, answerTimeout }, numbers, limit, signal) {
  const end = performance.now() + limit
  const connection = await connect(pool, answerTimeout, limit, signal)
  const since = performance.now()
  const late = ends.timer(Math.max(0, end - since), () => failure.noAnswer(limit))
  const aborted = ends.onAbort(signal)
  const taking = form.take(connection, numbers)
  try {
    return (await Promise.race([taking, late.promise, aborted.promise])) ? { connection, since } : null
  } catch (error) {
    // The caller has gone, or the statement has failed: then this rejects too, and the connection is gone.
    taking.then((isTaken) => isTaken && form.cancel(connection, numbers)).catch(() => {})
    throw error
  } finally {
    late.clear()
    aborted.clear()
  }
}

async function pause(ms, signal) {
  const aborted = ends.onAbort(signal)
  let timer
  const over = new Promise((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  try {
    await Promise.race([over, aborted.promise])
  } finally {
    clearTimeout(timer)
    aborted.clear()
  }
}

module.exports = { askPostgres }
