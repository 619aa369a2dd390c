'use strict'

// What a provider of the user gives has to be a lock: what it lacks is told where it comes in, and not by a section that
// goes on without the loss of its lock being known to anybody.

const { showType } = require('../invalid')

const NEEDED = {
  'signal (an AbortSignal)': ({ signal }) => typeof signal?.addEventListener === 'function' && 'aborted' in signal,
  'isHeld (a boolean)': ({ isHeld }) => typeof isHeld === 'boolean',
  'remaining (a number)': ({ remaining }) => typeof remaining === 'number',
  'extend()': ({ extend }) => typeof extend === 'function',
  'release()': ({ release }) => typeof release === 'function',
}

/** @throws {TypeError} that names what is missing */
function checkHandle(inner) {
  if (inner === null || typeof inner !== 'object') {
    throw new TypeError(`the fallback must give a Lock; got ${showType(inner)}`)
  }
  const missing = Object.keys(NEEDED).filter((name) => !NEEDED[name](inner))
  if (missing.length > 0) throw new TypeError(`the fallback gave a lock without ${missing.join(', ')}`)
}

/** Nobody wants it: whether that works is the provider's. */
async function giveBack(inner) {
  try {
    await inner.release()
  } catch {}
}

module.exports = { checkHandle, giveBack }
