'use strict'

// What this process holds of the first layer, the nodes; and waiting until it does not any more.

const { overlap } = require('../reentrancy')
const { reasonOf } = require('../call')

const TICK_MS = 20

/** The handle of a lock that the nodes granted to this instance and that is still valid, of one of these keys. */
function heldOnNodes(desk, keys) {
  for (let slot = 0; slot < desk.locks.length; slot += 1) {
    const lock = desk.lockAt(slot)
    if (lock !== undefined && overlap(lock.key, keys) && lock.isHeld) return lock
  }
  return undefined
}

/** Whether this instance asks the nodes for one of these keys at this moment, or holds it. */
const isOurs = (desk, keys) =>
  heldOnNodes(desk, keys) !== undefined ||
  desk.calls.some((call) => call !== undefined && call.key !== undefined && overlap(call.key, keys))

/** One timer for everybody who waits by the same clock. */
const ticks = new WeakMap()
function nextTick(clock) {
  if (!ticks.has(clock)) {
    const tick = new Promise((resolve) => {
      clock.after(TICK_MS, () => {
        ticks.delete(clock)
        resolve()
      })
    })
    ticks.set(clock, tick)
  }
  return ticks.get(clock)
}

/** Resolves to whether `isTaken()` has become false by `deadline`; rejects with the signal's reason when that aborts. */
async function untilFree(isTaken, deadline, signal, clock) {
  while (isTaken()) {
    if (clock.now() >= deadline) return false
    await nextTick(clock)
    if (signal?.aborted) throw reasonOf(signal)
  }
  return true
}

module.exports = { heldOnNodes, isOurs, nextTick, untilFree }
