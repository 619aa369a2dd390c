'use strict'

// What ends a wait: a time, or a signal. Each is a promise that only ever rejects, and is cleared when the wait is over.

const { reasonOf } = require('../call')

/** @returns {{ promise: Promise<never>, clear(): void }} rejects after `ms` */
function timer(ms, makeError) {
  let handle
  const promise = new Promise((_, reject) => {
    handle = setTimeout(() => reject(makeError()), ms)
  })
  return { promise, clear: () => clearTimeout(handle) }
}

/** @returns {{ promise: Promise<never>, clear(): void }} rejects with the signal's reason when it aborts */
function onAbort(signal) {
  let heard
  const promise = new Promise((_, reject) => {
    heard = () => reject(reasonOf(signal))
    if (signal.aborted) heard()
    else signal.addEventListener('abort', heard, { once: true })
  })
  promise.catch(() => {})
  return { promise, clear: () => signal.removeEventListener('abort', heard) }
}

module.exports = { timer, onAbort }
