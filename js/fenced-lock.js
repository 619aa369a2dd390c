'use strict'

// The handle of a lock of an instance with fencing: it has a token besides.

const record = require('./record')
const { Lock } = require('./lock')

const WORD = 2 ** 32

class FencedLock extends Lock {
  #token

  constructor(desk, slot, key, words, at, tick) {
    super(desk, slot, key, words, at, tick)
    this.#token = words[at + record.TOKEN + 1] * WORD + (words[at + record.TOKEN] >>> 0)
  }

  get token() {
    return this.#token
  }

  [Symbol.for('nodejs.util.inspect.custom')](_depth, options, inspect) {
    const { key, id, token, ttl, isHeld, remaining } = this
    return `FencedLock ${inspect({ key, id, token, ttl, isHeld, remaining }, options)}`
  }
}

module.exports = { FencedLock }
