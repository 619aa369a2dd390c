'use strict'

// Waiting for conditions instead of for luck. Every deadline here is only an upper bound for a broken run:
// a healthy run returns as soon as the condition holds.

const { setTimeout: sleep } = require('node:timers/promises')
const { performance } = require('node:perf_hooks')

/**
 * Resolves with the first truthy value of `condition` (sync or async), rejects after `deadline` ms.
 * A condition that throws counts as "not yet"; its last error is shown when the deadline passes.
 */
async function until(condition, { deadline = 20_000, every = 5, what = String(condition) } = {}) {
  const end = performance.now() + deadline
  let last
  for (;;) {
    try {
      const value = await condition()
      if (value) return value
      last = undefined
    } catch (error) {
      last = error
    }
    if (performance.now() >= end) {
      throw new Error(`still not true after ${deadline} ms: ${what}${last ? ` (${last.message})` : ''}`, {
        cause: last,
      })
    }
    await sleep(every)
  }
}

/** Settles as `promise` does, or rejects when that takes longer than `ms`: for "this call ends by its deadline". */
async function within(ms, promise, what = 'the promise') {
  const timer = new AbortController()
  try {
    return await Promise.race([
      promise,
      sleep(ms, undefined, { signal: timer.signal }).then(() => {
        throw new Error(`${what} did not settle within ${ms} ms`)
      }),
    ])
  } finally {
    timer.abort()
  }
}

/** `{ value | error, ms }` of a call, so that a test can look at both the outcome and the time it took. */
async function timed(call) {
  const start = performance.now()
  try {
    const value = await call()
    return { value, ms: performance.now() - start }
  } catch (error) {
    return { error, ms: performance.now() - start }
  }
}

/** What a promise is at this moment: 'pending', 'resolved' or 'rejected', after giving it `ms` to settle. */
async function stateAfter(ms, promise) {
  const timer = new AbortController()
  const state = await Promise.race([
    promise.then(
      () => 'resolved',
      () => 'rejected',
    ),
    sleep(ms, 'pending', { signal: timer.signal }).catch(() => 'pending'),
  ])
  timer.abort()
  return state
}

/** Occupies the JavaScript thread: what a long synchronous computation or a garbage collection does to an application. */
function block(ms) {
  const end = performance.now() + ms
  while (performance.now() < end);
}

module.exports = { until, within, timed, stateAfter, block, sleep }
