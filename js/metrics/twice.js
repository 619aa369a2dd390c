'use strict'

// The same instance observed twice in one place would count each event twice; two of one name would count as one.

/** @param {Map<object, string>} present what is observed there @param {Map<object, string>} added what is to be */
function refuseTwice(present, added, where) {
  const names = new Set(present.values())
  for (const [redlock, name] of added) {
    if (present.has(redlock)) throw twice(`"${present.get(redlock)}" is observed in this ${where}; stop() that first`)
    if (names.has(name)) {
      throw twice(`this ${where} has another instance called "${name}"; give this one a name, as redlocks: { name: … }`)
    }
  }
}

function twice(why) {
  const error = new Error(`observed already: ${why}`)
  error.code = 'ERR_QUORLOCK_OBSERVED'
  return error
}

module.exports = { refuseTwice, twice }
