'use strict'

// Bounds of the histograms, in seconds: from one round trip in a data centre to the longest sensible wait and hold.

const { plainObject, onlyKnown } = require('../argument')
const { wrongType, wrongValue } = require('../invalid')

const DEFAULTS = {
  acquire: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  hold: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
}

/** @returns {{ acquire: number[], hold: number[] }} */
function parseBuckets(buckets = {}) {
  onlyKnown('buckets', plainObject('buckets', buckets), Object.keys(DEFAULTS))
  return { acquire: bounds('acquire', buckets), hold: bounds('hold', buckets) }
}

function bounds(name, { [name]: given = DEFAULTS[name] }) {
  const wanted = 'be an array of ascending positive numbers, in seconds'
  if (!Array.isArray(given) || given.length === 0) throw wrongType(`buckets.${name}`, wanted, given)
  const ascends = given.every((bound, i) => Number.isFinite(bound) && bound > (i === 0 ? 0 : given[i - 1]))
  if (!ascends) throw wrongValue(`buckets.${name}`, wanted, given)
  return [...given]
}

const areEqual = (some, others) => JSON.stringify(some) === JSON.stringify(others)

module.exports = { parseBuckets, areEqual }
