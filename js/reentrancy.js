'use strict'

// Which locks the present async context holds, so that asking for one of them again is told at once as the deadlock
// it is. Only withLock() enters a context; calls outside any section pay one comparison.

const { AsyncLocalStorage } = require('node:async_hooks')
const { IS_RELEASED } = require('./handle')

const contexts = new AsyncLocalStorage()

let sections = 0

/** Calls `fn(lock)` in a context that holds `keys`. */
function runHolding(scope, keys, lock, fn) {
  const frame = { scope, keys, lock, parent: contexts.getStore() }
  return contexts.run(frame, fn, lock)
}

const enterSection = () => {
  sections += 1
}

const leaveSection = () => {
  sections -= 1
}

/** @param {string | readonly string[]} keys whether this context holds any of them, in the same scope, right now */
function isHeldHere(scope, keys) {
  if (sections === 0) return false
  for (let frame = contexts.getStore(); frame !== undefined; frame = frame.parent) {
    if (frame.scope === scope && overlap(frame.keys, keys) && frame.lock.isHeld) return true
  }
  return false
}

/** The innermost lock of this context that was not given back; it may be lost, which its signal tells. */
function currentLock() {
  if (sections === 0) return undefined
  for (let frame = contexts.getStore(); frame !== undefined; frame = frame.parent) {
    if (!frame.lock[IS_RELEASED]) return frame.lock
  }
  return undefined
}

function overlap(held, asked) {
  if (typeof held === 'string') return typeof asked === 'string' ? held === asked : asked.includes(held)
  return typeof asked === 'string' ? held.includes(asked) : asked.some((key) => held.includes(key))
}

module.exports = { runHolding, enterSection, leaveSection, isHeldHere, currentLock, overlap }
