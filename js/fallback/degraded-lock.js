'use strict'

// The handle of a lock that the fallback gave: whatever its own handle says, plus `degraded`, the loss by close(), and
// the event. `friend` is what the second layer may do and users may not.

const { NONE } = require('../votes')
const { LockLostError } = require('../errors')
const { IS_RELEASED } = require('../handle')
const failure = require('../failure')

// Whoever holds the signal relies on the lock: the handle must not be collected, and thereby forgotten, under him.
const lockOfSignal = new WeakMap()

/** No store lets a write through that comes with it: tokens of the nodes are positive. */
const NO_TOKEN = -1

/** The answer of a release that somebody else makes once the section is over. */
const LEFT = Promise.resolve('released')

let friend

class DegradedLock {
  #inner
  #key
  #gone
  #controller = null
  #lost = null
  #released = null
  #hasLeft = false

  /** @param {(lock: DegradedLock, lost: Error | null, released: Promise<string> | null) => void} gone told once: lost, or given back */
  constructor(inner, key, gone) {
    this.#inner = inner
    this.#key = key
    this.#gone = gone
    const { signal } = inner
    if (signal.aborted) this.#lose(signal.reason)
    else signal.addEventListener('abort', () => this.#lose(signal.reason), { once: true })
  }

  get key() {
    return this.#key
  }

  get id() {
    return this.#inner.id
  }

  get ttl() {
    return this.#inner.ttl
  }

  get attempts() {
    return this.#inner.attempts
  }

  get votes() {
    return this.#inner.votes ?? NONE
  }

  get degraded() {
    return true
  }

  get inner() {
    return this.#inner
  }

  get isHeld() {
    return this.#isOver ? false : this.#inner.isHeld
  }

  get remaining() {
    return this.#isOver ? 0 : this.#inner.remaining
  }

  get [IS_RELEASED]() {
    return this.#released !== null || this.#hasLeft
  }

  get signal() {
    if (this.#controller === null) {
      this.#controller = new AbortController()
      lockOfSignal.set(this.#controller.signal, this)
      if (this.#lost !== null) this.#controller.abort(this.#lost)
    }
    return this.#controller.signal
  }

  async extend(ttl) {
    if (this.#isOver) {
      const reason = this.#lost?.reason ?? 'released'
      throw failure.notExtended(this.#key, reason, this.attempts, NONE)
    }
    await (ttl === undefined ? this.#inner.extend() : this.#inner.extend(ttl))
  }

  release() {
    if (this.#released === null) {
      const isNews = !this.#isOver
      this.#released = this.#inner.release()
      if (isNews) this.#gone(this, null, this.#released)
    }
    return this.#released
  }

  [Symbol.asyncDispose]() {
    return this.release().then(() => undefined)
  }

  [Symbol.for('nodejs.util.inspect.custom')](_depth, options, inspect) {
    const { key, id, ttl, isHeld, remaining, degraded } = this
    return `Lock ${inspect({ key, id, ttl, isHeld, remaining, degraded }, options)}`
  }

  get #isOver() {
    return this.#lost !== null || this.#released !== null || this.#hasLeft
  }

  /** @returns {boolean} whether this is news */
  #lose(error) {
    if (this.#isOver) return false
    const { attempts, votes } = this
    this.#lost = error instanceof LockLostError ? error : failure.lost(this.#key, 'gone', attempts, votes)
    this.#controller?.abort(this.#lost)
    this.#gone(this, this.#lost, null)
    return true
  }

  static {
    friend = {
      /** Its section is over. Giving it back is the fallback's: how may depend on what the function did. */
      leave(lock) {
        if (lock.#isOver) return
        lock.#hasLeft = true
        lock.#gone(lock, null, LEFT)
      },
      /** By close(). */
      takeAway(lock) {
        lock.#lose(failure.lost(lock.#key, 'closed', lock.attempts, NONE))
        return lock.release()
      },
    }
  }
}

/** Of an instance with fencing. */
class UnfencedLock extends DegradedLock {
  get token() {
    return NO_TOKEN
  }
}

module.exports = { DegradedLock, UnfencedLock, friend }
