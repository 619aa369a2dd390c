'use strict'

// Checks of single arguments, shared by the constructor's options and those of each call. Each returns the value or
// throws; `undefined` means "not given" and is for the caller to replace.

const { wrongType, wrongValue, outOfRange } = require('./invalid')

/** Times and counts cross to native code as 32-bit integers: 2^31 - 1 ms is 24.8 days. */
const MAX_MS = 2_147_483_647

/** The shortest ttl: below it, drift and one round trip eat the validity. */
const MIN_TTL = 10

function plainObject(name, value, wanted = 'be an object') {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw wrongType(name, wanted, value)
  return value
}

function onlyKnown(name, object, known) {
  for (const key of Object.keys(object)) {
    if (!known.includes(key)) throw wrongValue(name, `only have the names ${known.join(', ')}`, key)
  }
}

function integer(name, value, min, max, { unit = 'in milliseconds', minName = '', maxName = '' } = {}) {
  const from = minName === '' ? min : `${min} (${minName})`
  const to = maxName === '' ? max : `${max} (${maxName})`
  const wanted = `be an integer between ${from} and ${to}${unit === '' ? '' : `, ${unit}`}`
  if (typeof value !== 'number') throw wrongType(name, wanted, value)
  if (!Number.isInteger(value) || value < min || value > max) throw outOfRange(name, wanted, value)
  return value
}

function fraction(name, value, min, max) {
  const wanted = `be a number between ${min} and ${max}`
  if (typeof value !== 'number') throw wrongType(name, wanted, value)
  if (!(value >= min && value <= max)) throw outOfRange(name, wanted, value)
  return value
}

function flag(name, value) {
  if (typeof value !== 'boolean') throw wrongType(name, 'be true or false', value)
  return value
}

function callback(name, value) {
  if (typeof value !== 'function') throw wrongType(name, 'be a function', value)
  return value
}

/** Accepts the signals of other realms and of polyfills too: what counts is what we use of them. */
function abortSignal(name, value) {
  if (value === null || typeof value !== 'object' || typeof value.aborted !== 'boolean') {
    throw wrongType(name, 'be an AbortSignal', value)
  }
  if (typeof value.addEventListener !== 'function') throw wrongType(name, 'be an AbortSignal', value)
  return value
}

/** On the path of every call, hence the cheap test before the one that explains. */
function checkTtl(ttl, maxTtl, name = 'ttl') {
  if (!Number.isInteger(ttl) || ttl < MIN_TTL || ttl > maxTtl) {
    integer(name, ttl, MIN_TTL, maxTtl, { maxName: 'maxTtl' })
  }
}

module.exports = { MAX_MS, MIN_TTL, plainObject, onlyKnown, integer, fraction, flag, callback, abortSignal, checkTtl }
