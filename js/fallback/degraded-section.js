'use strict'

// The user's function under a lock of the fallback. The provider calls it, and ends the lock when it is over: commits,
// rolls back or unlocks. Where close() takes away a lock whose handle knows no way for that, the provider is told that the
// function has failed, so that it ends the lock by itself; giving the lock back from here would commit half of the work.

const { NONE } = require('../votes')
const failure = require('../failure')
const { friend } = require('./degraded-lock')

class DegradedSection {
  #lock
  #work
  #isInterrupted = false
  #over
  #tellOver

  /** @param {() => Promise<unknown>} run calls the user's function */
  constructor(lock, run) {
    this.#lock = lock
    this.#over = new Promise((resolve) => {
      this.#tellOver = resolve
    })
    const interruption = new Promise((_, reject) => {
      friend.enter(lock, () => {
        this.#isInterrupted = true
        reject(friend.lost(lock))
        return this.#over
      })
    })
    this.#work = run()
    /** What the provider sees of the function. */
    this.seen = Promise.race([this.#work, interruption])
  }

  get isInterrupted() {
    return this.#isInterrupted
  }

  /** The provider has ended the lock. */
  over() {
    this.#tellOver('expired')
  }

  /** A provider need not know of `whenLost`. */
  mustNotBeLost(result) {
    if (friend.wasLate(this.#lock)) throw this.#lostMeanwhile(result)
  }

  /** Of a section that was interrupted: what becomes of its result nobody knows, so that it is none. */
  async refusal() {
    throw this.#lostMeanwhile(await this.#work) // what the function throws is its own
  }

  #lostMeanwhile(result) {
    const { key, attempts } = this.#lock
    return failure.lostMeanwhile(key, friend.lost(this.#lock)?.reason ?? 'expired', attempts, NONE, result)
  }
}

module.exports = { DegradedSection }
