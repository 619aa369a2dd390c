'use strict'

// Which instances are observed, and what each is called in the metrics.

const { plainObject } = require('../argument')
const { wrongType, wrongValue } = require('../invalid')

const ONLY_ONE = 'default'

/** @returns {Map<object, string>} the name of each instance */
function parseTargets({ redlock, redlocks }) {
  if (redlock !== undefined && redlocks !== undefined) {
    throw wrongValue('options', 'have redlock or redlocks, not both', redlocks)
  }
  if (redlocks === undefined) return new Map([[instance('redlock', redlock), ONLY_ONE]])
  const entries = Object.entries(plainObject('redlocks', redlocks, 'be an object of instances by their names'))
  if (entries.length === 0) throw wrongValue('redlocks', 'have at least one instance', redlocks)
  const names = new Map()
  for (const [name, value] of entries) {
    const other = names.get(instance(`redlocks.${name}`, value))
    if (other !== undefined) throw wrongValue('redlocks', `name each instance once; ${name} is also ${other}`, redlocks)
    names.set(value, name)
  }
  return names
}

/** Taken by what is used of it, since it may be of another copy of this package, or a stand-in for tests. */
function instance(name, value) {
  if (value === null || typeof value !== 'object' || typeof value.stats !== 'function') {
    throw wrongType(name, 'be a Redlock', value)
  }
  return value
}

module.exports = { parseTargets }
