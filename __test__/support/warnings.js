'use strict'

// What the package says without being asked.

/** The messages of all process warnings of one code from now on, until the test ends. */
function warnings(t, code) {
  const got = []
  const heard = (warning) => {
    if (warning.code === `QUORLOCK_${code}`) got.push(warning.message)
  }
  process.on('warning', heard)
  t.after(() => process.off('warning', heard))
  return got
}

module.exports = { warnings }
