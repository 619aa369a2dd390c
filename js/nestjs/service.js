'use strict'

// What the module makes: a Redlock that also says, where somebody wants to know, which calls had to wait. Native code
// does not tell that apart from a slow node, so a wait is a second round, or a time that no healthy round takes.

const { Redlock } = require('../redlock')

const WAITED_MS = 50

class RedlockService extends Redlock {
  #onWait

  /** @param {((key: string | readonly string[], waited: number, attempts: number) => void) | null} onWait */
  constructor(options, onWait = null) {
    super(options)
    this.#onWait = onWait
  }

  withLock(key, ttl, fn, options) {
    if (this.#onWait === null || typeof fn !== 'function') return super.withLock(key, ttl, fn, options)
    const since = performance.now()
    const told = (lock) => {
      this.#tell(lock, since)
      return fn(lock)
    }
    return super.withLock(key, ttl, told, options)
  }

  acquire(key, ttl, options) {
    if (this.#onWait === null) return super.acquire(key, ttl, options)
    return this.#acquireTelling(key, ttl, options)
  }

  /** `await`, and no `then`: the stack of a refusal names the caller's async functions. */
  async #acquireTelling(key, ttl, options) {
    const since = performance.now()
    const lock = await super.acquire(key, ttl, options)
    this.#tell(lock, since)
    return lock
  }

  #tell(lock, since) {
    const waited = performance.now() - since
    if (lock.attempts > 1 || waited >= WAITED_MS) this.#onWait(lock.key, Math.round(waited), lock.attempts)
  }
}

module.exports = { RedlockService }
