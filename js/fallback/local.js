'use strict'

// The fallback 'local': locks in the memory of this process. One for all instances over the same nodes and prefix (and
// worker threads), so that they exclude each other as they did on the nodes. It is never closed: it costs nothing.

const { createHash } = require('node:crypto')
const { LAB } = require('../clock')
const { hush } = require('../diagnostics')

const made = new Map()
const madeInLabs = new WeakMap() // the same for each lab of a user's tests, and by its time

/** @param {(options: object) => object} create makes a Redlock */
function localProvider({ scope, maxTtl, native, lab }, create) {
  const { driftFactor, maxHold, stallLimit } = native
  const options = { maxTtl, driftFactor, maxHold, stallLimit }
  const name = `${scope} ${JSON.stringify(options)}`
  const all = lab === null ? made : madeIn(lab)
  if (!all.has(name)) {
    const redlock = create({ ...(lab === null ? inMemory(scope) : { [LAB]: lab.beside(scope) }), ...options })
    hush(redlock) // what it gives is told as given by the fallback of a Redlock that users know
    all.set(name, redlock)
  }
  return all.get(name)
}

const inMemory = (scope) => ({
  nodes: `memory:fallback ${createHash('sha256').update(scope).digest('hex').slice(0, 32)}`,
})

function madeIn(lab) {
  if (!madeInLabs.has(lab)) madeInLabs.set(lab, new Map())
  return madeInLabs.get(lab)
}

module.exports = { localProvider }
