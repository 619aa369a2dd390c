'use strict'

// What the module makes: a Redlock that also says, where somebody wants to know, which calls had to wait. Native code
// does not tell that apart from a slow node, so a wait is a second round, or a time that no healthy round takes.

const { Redlock } = require('../redlock')
const { complain } = require('../report')

const WAITED_MS = 50

class RedlockService extends Redlock {
  #onWait

  /** @param {((key: unknown, waited: number, attempts: number, error?: unknown) => void) | null} onWait */
  constructor(options, onWait = null) {
    super(options)
    this.#onWait = onWait
  }

  withLock(key, ttl, fn, options) {
    if (this.#onWait === null || typeof fn !== 'function') return super.withLock(key, ttl, fn, options)
    return this.#sectionTelling(key, ttl, fn, options)
  }

  acquire(key, ttl, options) {
    if (this.#onWait === null) return super.acquire(key, ttl, options)
    return this.#acquireTelling(key, ttl, options)
  }

  // `await`, and no `then`: the stack of a refusal names the caller's async functions.

  async #sectionTelling(key, ttl, fn, options) {
    const since = performance.now()
    let isRunning = false
    const told = (lock) => {
      isRunning = true
      this.#tell(lock.key, since, lock)
      return fn(lock)
    }
    try {
      return await super.withLock(key, ttl, told, options)
    } catch (error) {
      if (!isRunning) this.#tell(key, since, null, error)
      throw error
    }
  }

  async #acquireTelling(key, ttl, options) {
    const since = performance.now()
    let lock
    try {
      lock = await super.acquire(key, ttl, options)
    } catch (error) {
      this.#tell(key, since, null, error)
      throw error
    }
    this.#tell(lock.key, since, lock)
    return lock
  }

  /**
   * What fails here must not take the place of a refusal's reason, which may be any value that a call was aborted with, nor
   * keep a lock that has been granted from whoever would give it back.
   */
  #tell(key, since, lock, error) {
    try {
      const waited = performance.now() - since
      const attempts = (lock ?? error)?.attempts ?? 0
      if (attempts > 1 || waited >= WAITED_MS) this.#onWait(key, Math.round(waited), attempts, error)
    } catch (failure) {
      complain('a wait could not be told', failure)
    }
  }
}

module.exports = { RedlockService }
