'use strict'

// A DistributedLock as a Lock: for providers that have only createLock and withLock. What such a lock does not tell is
// worked out from the ttl, or left at what is always true: attempts is 1, votes is empty, the id is ours.

const { LockLostError } = require('../errors')
const { Handle, TAKE_AWAY } = require('../handle')
const { NONE } = require('../votes')
const failure = require('../failure')
const { giveBack } = require('./inner')

/** As long as Node's timers go. */
const MAX_DELAY_MS = 2 ** 31 - 1

/** A lock that was waited for longer than this part of its ttl has its ttl started again. */
const WAITED_PART = 1 / 3

class AdaptedLock extends Handle {
  #lock
  #ttl
  #until
  #renew
  #timer = null
  #lost = null
  #released = null
  #controller = new AbortController()

  /** @param {number} since before the lock was asked for: what is left counts from then */
  constructor(lock, key, ttl, renew, since) {
    super(key, 1, NONE)
    this.#lock = lock
    this.#renew = renew
    this.#lasts(ttl, since)
  }

  get ttl() {
    return this.#ttl
  }

  /** A lock that its provider renews is as good as new while the provider calls it held. */
  get remaining() {
    if (this.#released !== null || this.#lost !== null || !this.#lock.isHeld) return 0
    return this.#renew ? this.#ttl : Math.max(0, this.#until - performance.now())
  }

  get signal() {
    return this.#controller.signal
  }

  async extend(ttl = this.#ttl) {
    if (!this.isHeld) throw this.#notExtended()
    const since = performance.now()
    if (!(await this.#lock.extend(ttl))) this.#lose('gone')
    if (this.#lost !== null || this.#released !== null) throw this.#notExtended() // also meanwhile: loss is final
    this.#lasts(ttl, since)
  }

  release() {
    this.#released ??= this.#end(this.isHeld ? 'released' : 'expired', () => this.#lock.release())
    return this.#released
  }

  [TAKE_AWAY](reason) {
    if (typeof this.#lock[TAKE_AWAY] !== 'function') return this.release()
    this.#released ??= this.#end('expired', () => this.#lock[TAKE_AWAY](reason))
    return this.#released
  }

  async #end(answer, leave) {
    clearTimeout(this.#timer)
    try {
      await leave()
      return answer
    } catch {
      return 'unknown'
    }
  }

  #lasts(ttl, since) {
    this.#ttl = ttl
    this.#until = since + ttl
    this.#look(ttl)
  }

  /** Looks again when the lock may have ended; one that is renewed is looked at a few times in each ttl. */
  #look(left) {
    clearTimeout(this.#timer)
    const delay = this.#renew ? this.#ttl / 3 : left
    this.#timer = setTimeout(() => this.#check(), Math.min(Math.ceil(delay), MAX_DELAY_MS))
    this.#timer.unref()
  }

  #check() {
    if (this.#released !== null || this.#lost !== null) return
    const left = this.remaining
    if (left > 0) this.#look(left)
    else this.#lose('expired')
  }

  #lose(reason) {
    if (this.#released !== null || this.#lost !== null) return
    clearTimeout(this.#timer)
    this.#lost = failure.lost(this.key, reason, 1, NONE)
    this.#controller.abort(this.#lost)
  }

  #notExtended() {
    const lost = this.#lost instanceof LockLostError ? this.#lost.reason : 'expired'
    return failure.notExtended(this.key, this.#released === null ? lost : 'released', 1, NONE)
  }
}

/** @returns {Promise<AdaptedLock | null>} null when others hold it */
async function takeAdapted(provider, { key, ttl, renew }, wait, signal) {
  const lock = provider.createLock(key, { ttl, renew })
  const since = performance.now()
  if (!(await lock.tryAcquire(wait, { signal }))) return null
  return new AdaptedLock(lock, key, ttl, renew, await startOf(lock, ttl, since))
}

/**
 * When the ttl has started at the latest. Nobody tells whether the provider was slow to grant or slow to answer, so that
 * it counts from the question. Where that leaves too little it is started again, by an extension.
 */
async function startOf(lock, ttl, asked) {
  const now = performance.now()
  if (now - asked < ttl * WAITED_PART) return asked
  try {
    return (await lock.extend(ttl)) ? now : asked
  } catch (error) {
    await giveBack(lock)
    throw error
  }
}

module.exports = { AdaptedLock, takeAdapted }
