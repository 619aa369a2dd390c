'use strict'

// The handle of a lock that the fallback gave: whatever its own handle says, plus `degraded`, the loss by close(), and
// who is told of its end. `friend` is what the second layer may do and users may not.

const { channels, watchExtend } = require('../diagnostics')
const { NONE } = require('../votes')
const { LockLostError } = require('../errors')
const { IS_RELEASED, TAKE_AWAY } = require('../handle')
const failure = require('../failure')
const { HoldLimit } = require('./hold-limit')

// Whoever holds the signal relies on the lock: the handle must not be collected, and thereby forgotten, under him.
const lockOfSignal = new WeakMap()

/** No store lets a write through that comes with it: tokens of the nodes are positive. */
const NO_TOKEN = -1

// The answers of a release that somebody else makes once the section is over.
const LEFT = Promise.resolve('released')
const LEFT_LATE = Promise.resolve('expired')

let friend

class DegradedLock {
  #redlock
  #inner
  #key
  #told
  #controller = null
  #lost = null
  #released = null
  #hasLeft = false
  #wasLate = false
  #interrupt = null
  #limit = null

  /**
   * @param {object} redlock whose lock it is, for messages
   * @param {{ lost: (lock: DegradedLock, error: Error) => void, released: (lock: DegradedLock, answer: Promise<string>) => void }} told
   * each at most once; only one of them may come
   */
  constructor(redlock, inner, key, told) {
    this.#redlock = redlock
    this.#inner = inner
    this.#key = key
    this.#told = told
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
    return this.#isOver || this.#limit?.left <= 0 ? false : this.#inner.isHeld
  }

  get remaining() {
    if (this.#isOver) return 0
    return this.#limit === null ? this.#inner.remaining : Math.max(0, Math.min(this.#inner.remaining, this.#limit.left))
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

  extend(ttl) {
    if (!channels.extend.hasSubscribers) return this.#extend(ttl)
    return watchExtend(this.#redlock, this, ttl ?? this.ttl, this.remaining, this.#extend(ttl))
  }

  async #extend(ttl) {
    if (this.#isOver) throw this.#notExtended()
    await (ttl === undefined ? this.#inner.extend() : this.#inner.extend(ttl))
    if (this.#isOver) throw this.#notExtended() // it was lost or given back meanwhile, which is final
    this.#limit?.extended(ttl ?? this.ttl)
  }

  #notExtended() {
    return failure.notExtended(this.#key, this.#lost?.reason ?? 'released', this.attempts, NONE)
  }

  release() {
    return this.#end(() => this.#inner.release())
  }

  /** By close() of whoever has this instance as its fallback. */
  [TAKE_AWAY](reason) {
    return friend.takeAway(this, reason)
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

  #end(giveBack) {
    if (this.#released === null) {
      this.#limit?.stop()
      this.#released = answerOf(giveBack)
      if (!this.#hasLeft) this.#told.released(this, this.#released)
    }
    return this.#released
  }

  #lose(error) {
    if (this.#isOver) return
    const { attempts, votes } = this
    this.#lost = error instanceof LockLostError ? error : failure.lost(this.#key, 'gone', attempts, votes)
    this.#tellLoss()
  }

  #tellLoss() {
    this.#limit?.stop()
    this.#controller?.abort(this.#lost)
    this.#told.lost(this, this.#lost)
  }

  /** A lock that can not be taken away is given back; but in a section that would end what the function is still at. */
  #takeInner(reason) {
    if (typeof this.#inner[TAKE_AWAY] === 'function') return this.#inner[TAKE_AWAY](reason)
    return this.#interrupt === null ? this.#inner.release() : this.#interrupt()
  }

  static {
    friend = {
      /**
       * Its provider renews it; the limit is that of whoever has this provider as his fallback. A handle that nobody knows
       * any more is not kept for it.
       */
      limit(lock, clock, maxHold, ttl) {
        const ref = new WeakRef(lock)
        const remaining = () => Math.min(ref.deref()?.remaining ?? 0, ref.deref()?.ttl ?? ttl)
        lock.#limit = new HoldLimit(clock, maxHold, remaining, () => {
          const held = ref.deref()
          if (held !== undefined) friend.takeAway(held, 'maxHold')
        })
      },
      /** It belongs to a section, which its provider ends when this is called. */
      enter(lock, interrupt) {
        lock.#interrupt = interrupt
      },
      /** Its section is over. Giving it back is the fallback's: how may depend on what the function did. */
      leave(lock) {
        // After a blocked event loop the signal of its loss may be still to come.
        lock.#wasLate = lock.#lost !== null || (lock.#released === null && !lock.#inner.isHeld)
        if (lock.#released !== null) return
        lock.#limit?.stop()
        lock.#hasLeft = true
        lock.#told.released(lock, lock.#wasLate ? LEFT_LATE : LEFT)
      },
      /** Its section was over only after it. */
      wasLate: (lock) => lock.#wasLate,
      /** Null while it is held, and after it has been given back in time. */
      lost: (lock) => lock.#lost,
      /**
       * By close(), at maxHold, or where a test says that it is gone. The lock is gone before anybody is told: who gives it back when
       * its signal aborts must not commit by that what he has begun.
       */
      takeAway(lock, reason = 'closed') {
        const isNews = !lock.#isOver
        if (isNews) lock.#lost = failure.lost(lock.#key, reason, lock.attempts, NONE)
        const answer = lock.#end(async () => {
          const given = await lock.#takeInner(reason)
          return reason !== 'closed' && given === 'released' ? 'expired' : given // what is lost is not given back in time
        })
        if (isNews) lock.#tellLoss()
        return answer
      },
    }
  }
}

/** Whatever a provider of the user makes of it: a release never rejects, and never throws. */
async function answerOf(giveBack) {
  try {
    return await giveBack()
  } catch {
    return 'unknown'
  }
}

/** Of an instance with fencing. */
class UnfencedLock extends DegradedLock {
  get token() {
    return NO_TOKEN
  }
}

module.exports = { DegradedLock, UnfencedLock, friend }
