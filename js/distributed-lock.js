'use strict'

// The provider shape: one object per resource, acquired and released many times, answers instead of errors for "taken"
// and "lost". At most one lock at a time; what it cannot express (votes, signal) is what Lock is for.

const { LockContendedError, LockLostError } = require('./errors')
const { MAX_MS, plainObject, onlyKnown, integer, abortSignal, checkTtl } = require('./argument')
const failure = require('./failure')
const { TAKE_AWAY } = require('./handle')

let tokenOf

class DistributedLock {
  #redlock
  #resource
  #ttl
  #maxTtl
  #options
  #lock = null
  #attempt = null

  static {
    tokenOf = (lock) => lock.#lock?.token
  }

  constructor(redlock, resource, { ttl, maxTtl, options }) {
    this.#redlock = redlock
    this.#resource = resource
    this.#ttl = ttl
    this.#maxTtl = maxTtl
    this.#options = options
  }

  get resource() {
    return this.#resource
  }

  get isHeld() {
    return this.#lock?.isHeld === true
  }

  async tryAcquire(timeout = 0, options = {}) {
    integer('timeout', timeout, 0, MAX_MS)
    plainObject('options', options)
    onlyKnown('options', options, ['signal'])
    const signal = options.signal === undefined ? undefined : abortSignal('signal', options.signal)
    if (this.#attempt !== null) throw failure.alreadyTaken(this.#resource, 'is being acquired')
    if (this.isHeld) throw failure.alreadyTaken(this.#resource, 'holds it already')

    const lost = this.#lock
    this.#lock = null
    this.#attempt = this.#take(lost, timeout, signal)
    try {
      this.#lock = await this.#attempt
    } finally {
      this.#attempt = null
    }
    return this.#lock !== null
  }

  async extend(duration = this.#ttl) {
    checkTtl(duration, this.#maxTtl, 'duration')
    if (this.#lock === null) return false
    try {
      await this.#lock.extend(duration)
      return true
    } catch (error) {
      if (error instanceof LockLostError) return false
      throw error
    }
  }

  async release() {
    if (this.#attempt !== null) await this.#attempt.catch(() => null)
    const lock = this.#lock
    this.#lock = null
    await lock?.release()
  }

  async [TAKE_AWAY](reason) {
    const lock = this.#lock
    this.#lock = null
    await lock?.[TAKE_AWAY](reason)
  }

  [Symbol.asyncDispose]() {
    return this.release()
  }

  /** A lock that was lost is given back first: what is left of it on some nodes would refuse us. */
  async #take(lost, timeout, signal) {
    await lost?.release()
    const options = { ...this.#options, signal }
    if (timeout === 0) return this.#redlock.tryAcquire(this.#resource, this.#ttl, options)
    try {
      return await this.#redlock.acquire(this.#resource, this.#ttl, { ...options, wait: timeout })
    } catch (error) {
      if (error instanceof LockContendedError && !error.reentrant) return null
      throw error
    }
  }
}

/** One of an instance with fencing. */
class FencedDistributedLock extends DistributedLock {
  get token() {
    return tokenOf(this)
  }
}

module.exports = { DistributedLock, FencedDistributedLock }
