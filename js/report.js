'use strict'

// The only way this package speaks without being asked: process warnings. Nothing is thrown from timers or callbacks.

const TYPE = 'QuorlockWarning'

/** @param {string} code without the prefix `QUORLOCK_` */
function warn(code, message, error) {
  const detail = error?.stack === undefined ? undefined : String(error.stack)
  process.emitWarning(message, { type: TYPE, code: `QUORLOCK_${code}`, detail })
}

/** A defect of ours that was kept from spreading. */
const complain = (what, error) => warn('INTERNAL', `${what}: ${textOf(error)}`, error)

function textOf(error) {
  try {
    return String(error instanceof Error ? error.message : error)
  } catch {
    return 'a value that no text can be made of'
  }
}

module.exports = { warn, complain, textOf }
