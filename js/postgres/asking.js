'use strict'

// Asks Postgres for a lock until it is granted or the wait is over: one short statement at a time, with growing pauses,
// each on a connection that goes back to the pool at once when the lock is taken.

const { reasonOf } = require('../call')
const { connect } = require('./connection')
const ends = require('./ends')
const failure = require('./failure')

/**
 * @param {{ key, numbers, wait: number, retry: object }} request
 * @returns {Promise<{ connection, since: number, attempts: number } | null>} null: taken, and asked once only
 */
async function askPostgres(form, settings, request, isTry, signal) {
  const { key, numbers, deadline, retry } = request
  let delay = retry.retryDelay
  for (let attempts = 1; ; attempts += 1) {
    let fault = null
    try {
      const grant = await askOnce(form, settings, numbers, deadline, isTry, signal)
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

async function askOnce(form, { pool, answerTimeout }, numbers, deadline, isTry, signal) {
  const left = deadline - performance.now()
  const limit = isTry || left <= 0 ? answerTimeout : Math.min(answerTimeout, left)
  const connection = await connect(pool, answerTimeout, limit, signal)
  const since = performance.now()
  const aborted = ends.onAbort(signal)
  const taking = form.take(connection, numbers)
  try {
    return (await Promise.race([taking, aborted.promise])) ? { connection, since } : null
  } catch (error) {
    // The caller has gone, or the statement has failed: then this rejects too, and the connection is gone.
    taking.then((isTaken) => isTaken && form.cancel(connection, numbers)).catch(() => {})
    throw error
  } finally {
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
