'use strict'

// What may be locked. A key goes to the nodes verbatim behind the prefix, so that other Redlock clients exclude us and
// are excluded by us; nothing is normalised. Names with `:quorlock:` are ours (fences, wake channels).

const { wrongType, wrongValue, outOfRange } = require('./invalid')

const RESERVED = ':quorlock:'
const MAX_KEY_BYTES = 512
const MAX_KEYS = 64

// One UTF-16 unit is at most three bytes of UTF-8, so shorter keys need no counting.
const SURELY_SHORT = Math.floor(MAX_KEY_BYTES / 3)

/** On the path of every call. `boundary` comes from `boundaryOf(keyPrefix)`. */
function checkKey(key, boundary, name = 'key') {
  if (typeof key !== 'string') throw wrongType(name, `be a string of 1 to ${MAX_KEY_BYTES} UTF-8 bytes`, key)
  if (key.length === 0) throw wrongValue(name, `be a string of 1 to ${MAX_KEY_BYTES} UTF-8 bytes`, key)
  if (key.length > SURELY_SHORT) checkLength(name, key)
  if (key.includes(RESERVED)) throw wrongValue(name, `not contain "${RESERVED}"`, key)
  if (!key.isWellFormed()) throw wrongValue(name, 'be well-formed text, without lone surrogates', key)
  if (boundary !== null) checkBoundary(name, key, boundary)
}

/** One key or a list of them, all or nothing. Returns the list without repetitions. */
function checkKeys(key, boundary) {
  if (!Array.isArray(key)) {
    if (typeof key !== 'string') {
      throw wrongType('key', `be a string of 1 to ${MAX_KEY_BYTES} UTF-8 bytes, or an array of such strings`, key)
    }
    checkKey(key, boundary)
    return [key]
  }
  const keys = [...new Set(key)]
  if (keys.length === 0 || keys.length > MAX_KEYS) {
    throw outOfRange('key', `have between 1 and ${MAX_KEYS} different keys when it is an array`, key)
  }
  for (let i = 0; i < key.length; i += 1) checkKey(key[i], boundary, `key[${i}]`)
  return keys
}

/** The prefix obeys the rules of a key, but may be empty. */
function checkPrefix(prefix) {
  if (typeof prefix !== 'string') {
    throw wrongType('keyPrefix', `be a string of at most ${MAX_KEY_BYTES} UTF-8 bytes`, prefix)
  }
  if (prefix !== '') checkKey(prefix, null, 'keyPrefix')
  return prefix
}

/**
 * Prefix and key may only form the reserved name together: `app:` + `quorlock:x`. Returns the key beginnings that
 * would, or null when there are none.
 */
function boundaryOf(prefix) {
  const starts = []
  for (let cut = 1; cut < RESERVED.length; cut += 1) {
    if (prefix.endsWith(RESERVED.slice(0, cut))) starts.push(RESERVED.slice(cut))
  }
  return starts.length === 0 ? null : starts
}

function checkBoundary(name, key, boundary) {
  for (const start of boundary) {
    if (key.startsWith(start)) throw wrongValue(name, `not form "${RESERVED}" together with the keyPrefix`, key)
  }
}

function checkLength(name, key) {
  const bytes = Buffer.byteLength(key)
  if (bytes <= MAX_KEY_BYTES) return
  const error = outOfRange(name, `be a string of 1 to ${MAX_KEY_BYTES} UTF-8 bytes`, key)
  error.message += ` (${bytes} bytes)`
  throw error
}

module.exports = { MAX_KEYS, MAX_KEY_BYTES, checkKey, checkKeys, checkPrefix, boundaryOf }
