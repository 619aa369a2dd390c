'use strict'

// The fallback 'local': locks in the memory of this process. One for all instances over the same nodes and prefix (and
// worker threads), so that they exclude each other as they did on the nodes. It is never closed: it costs nothing.

const { createHash } = require('node:crypto')
const { hush } = require('../diagnostics')

const made = new Map()

/** @param {(options: object) => object} create makes a Redlock */
function localProvider({ scope, maxTtl, native }, create) {
  const { driftFactor, maxHold, stallLimit } = native
  const options = { maxTtl, driftFactor, maxHold, stallLimit }
  const name = `${scope} ${JSON.stringify(options)}`
  if (!made.has(name)) {
    const place = createHash('sha256').update(scope).digest('hex').slice(0, 32)
    const redlock = create({ nodes: `memory:fallback ${place}`, ...options })
    hush(redlock) // what it gives is told as given by the fallback of a Redlock that users know
    made.set(name, redlock)
  }
  return made.get(name)
}

module.exports = { localProvider }
