'use strict'

// What Postgres locks is a number of 64 bits. Ours are the first of SHA-256 over namespace and key: two keys that meet
// there wait for each other, which costs time and nothing else.

const { createHash } = require('node:crypto')

/**
 * In ascending order and without repetitions, so that everybody takes several in the same order, and a session never
 * takes one twice.
 *
 * @param {readonly string[]} keys
 * @returns {string[]} decimal, signed: what Postgres calls bigint
 */
function advisoryKeys(namespace, keys) {
  const numbers = new Set(keys.map((key) => numberOf(namespace, key)))
  return [...numbers].sort(byValue).map(String)
}

/** The length in front keeps "a" + "bc" and "ab" + "c" apart. */
function numberOf(namespace, key) {
  const hash = createHash('sha256').update(`${Buffer.byteLength(namespace)}:${namespace}${key}`)
  return hash.digest().readBigInt64BE(0)
}

const byValue = (a, b) => (a < b ? -1 : a > b ? 1 : 0)

module.exports = { advisoryKeys }
