'use strict'

// What the handles have in common whose locks native code does not keep: who they are. How long they are held, and how
// they end, each knows for itself. And what every handle can be asked by the rest of the package, but not by users.

const { randomBytes } = require('node:crypto')

/** Whether it was given back, by its user or since its section is over; of a lock that is lost, too. */
const IS_RELEASED = Symbol('released')

/**
 * Takes the lock from its holder, who is told by its signal, with 'closed' or the reason that is given: what close() does,
 * and tests do. Unlike release() it never makes final
 * what he has begun: a transaction is rolled back. Known across copies of this package.
 */
const TAKE_AWAY = Symbol.for('quorlock.takeAway')

class Handle {
  #key
  #attempts
  #votes
  #id = randomBytes(16).toString('hex')

  constructor(key, attempts, votes) {
    this.#key = key
    this.#attempts = attempts
    this.#votes = votes
  }

  get key() {
    return this.#key
  }

  get id() {
    return this.#id
  }

  get attempts() {
    return this.#attempts
  }

  get votes() {
    return this.#votes
  }

  get degraded() {
    return false
  }

  get isHeld() {
    return this.remaining > 0
  }

  [Symbol.asyncDispose]() {
    return this.release().then(() => undefined)
  }
}

module.exports = { Handle, IS_RELEASED, TAKE_AWAY }
