'use strict'

const { after } = require('node:test')

/**
 * A stand-in for a test's context, for what several tests of a file or suite share: what is given to its `after` runs
 * when they are all over, last first. (`after()` called from within a hook would belong to the hook.)
 */
function suiteScope() {
  const ends = []
  after(async () => {
    for (const end of ends.reverse()) await end()
  })
  return { after: (end) => ends.push(end) }
}

module.exports = { suiteScope }
