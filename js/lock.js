'use strict'

// The handle of one lock. What native code knows (validity) is asked at the moment of asking; what the user may never
// look at (id, votes, signal) is worked out when looked at. `friend` is what the desk may do and users may not.

const record = require('./record')
const { checkTtl } = require('./argument')
const { channels, watchExtend } = require('./diagnostics')
const { IS_RELEASED, TAKE_AWAY } = require('./handle')
const { NONE, votesFromWords } = require('./votes')
const { failWith, lost: lostError, lostMeanwhile, notExtended } = require('./failure')

const HELD = 0
const LOST = 1
const RELEASED = 2

const EXPIRED = 'expired'
const UNKNOWN = 'unknown'
const RELEASE_RESULTS = ['released', EXPIRED, UNKNOWN]

// Whoever holds the signal relies on the lock: it must not be collected, and thereby released, under him.
const lockOfSignal = new WeakMap()

let friend

class Lock {
  #desk
  #slot
  #key
  #ttl
  #attempts
  #votesLow
  #votesHigh
  #id0
  #id1
  #id2
  #id3
  #tick
  #state = HELD
  #votes = null
  #lost = null
  #controller = null
  #extension = null
  #lastExtend = null
  #released = null
  #settleRelease = null
  #mustBeProven = false
  #wasLate = false

  constructor(desk, slot, key, words, at, tick) {
    this.#desk = desk
    this.#slot = slot
    this.#key = key
    this.#ttl = words[at + record.TTL]
    this.#attempts = words[at + record.CODE]
    this.#votesLow = words[at + record.VOTES]
    this.#votesHigh = words[at + record.VOTES + 1]
    this.#id0 = words[at + record.ID]
    this.#id1 = words[at + record.ID + 1]
    this.#id2 = words[at + record.ID + 2]
    this.#id3 = words[at + record.ID + 3]
    this.#tick = tick
  }

  get key() {
    return this.#key
  }

  get id() {
    return hex(this.#id0) + hex(this.#id1) + hex(this.#id2) + hex(this.#id3)
  }

  get ttl() {
    return this.#ttl
  }

  get attempts() {
    return this.#attempts
  }

  get votes() {
    this.#votes ??= votesFromWords(this.#votesLow, this.#votesHigh, this.#desk.settings.names)
    return this.#votes
  }

  get degraded() {
    return false
  }

  get isHeld() {
    return this.remaining > 0
  }

  get remaining() {
    return this.#state === HELD ? this.#desk.remaining(this.#slot) : 0
  }

  get [IS_RELEASED]() {
    return this.#released !== null
  }

  get signal() {
    if (this.#controller === null) {
      this.#controller = new AbortController()
      lockOfSignal.set(this.#controller.signal, this)
      // After a blocked event loop the record of the loss may still be on its way.
      if (this.#state === HELD && !this.isHeld) this.#lost = lostError(this.#key, 'expired', this.#attempts, NONE)
      if (this.#lost !== null) this.#controller.abort(this.#lost)
    }
    return this.#controller.signal
  }

  extend(ttl = this.#ttl) {
    try {
      checkTtl(ttl, this.#desk.settings.maxTtl)
    } catch (error) {
      return Promise.reject(error)
    }
    const start = () => this.#extendNow(ttl)
    const answer = this.#lastExtend === null ? start() : this.#lastExtend.then(start, start)
    const forget = () => {
      if (this.#lastExtend === answer) this.#lastExtend = null
    }
    this.#lastExtend = answer
    answer.then(forget, forget)
    return answer
  }

  release() {
    this.#released ??= this.#desk.release(this, this.#slot)
    return this.#released
  }

  /** The section that holds it is told by its signal; its own release() gets the answer of this one. */
  [TAKE_AWAY](why = 'closed') {
    const reason = this.isHeld ? why : EXPIRED // then the record of the loss is still on its way
    const isNews = this.#lose(reason, NONE)
    const answer = this.release()
    if (isNews) this.#desk.tellLoss(this, reason)
    return answer
  }

  [Symbol.asyncDispose]() {
    return this.release().then(() => undefined)
  }

  [Symbol.for('nodejs.util.inspect.custom')](_depth, options, inspect) {
    const { key, id, ttl, isHeld, remaining } = this
    return `Lock ${inspect({ key, id, ttl, isHeld, remaining }, options)}`
  }

  #extendNow(ttl) {
    if (!channels.extend.hasSubscribers) return this.#askToExtend(ttl)
    return watchExtend(this.#desk.redlock, this, ttl, this.remaining, this.#askToExtend(ttl))
  }

  #askToExtend(ttl) {
    if (this.#state !== HELD) return failWith(() => this.#notExtended())
    return new Promise((resolve) => {
      this.#extension = resolve
      this.#desk.extend(this, this.#slot, ttl)
    })
  }

  #extended(ttl) {
    this.#ttl = ttl
    this.#settleExtension(undefined)
  }

  #settleExtension(answer) {
    const settle = this.#extension
    this.#extension = null
    settle?.(answer)
  }

  #notExtended() {
    const votes = this.#lost?.votes ?? NONE
    return notExtended(this.#key, this.#lossReason(), this.#attempts, votes)
  }

  /** Asked when native code refused to extend: the record of the loss may have come before, or be on its way. */
  #lossReason() {
    if (this.#state === RELEASED) return 'released'
    if (this.#lost !== null) return this.#lost.reason
    return this.remaining > 0 ? 'gone' : 'expired'
  }

  /** @returns {boolean} whether this is news: loss is final, and after release() there is nothing to lose */
  #lose(reason, votes) {
    if (this.#state !== HELD) return false
    this.#state = LOST
    this.#lost ??= lostError(this.#key, reason, this.#attempts, votes)
    return true
  }

  /**
   * After a blocked event loop the record of the loss may still be on its way; and it never comes when the user has
   * released the lock before: then the answer to that release tells, or, where too few nodes gave one, whether the lock
   * was held when it was released.
   */
  async #mustNotBeLost(result) {
    if (this.#state === RELEASED) {
      const answer = await this.release()
      if (answer !== EXPIRED && !(answer === UNKNOWN && this.#wasLate)) return
    } else if (this.#lost === null && this.remaining > 0) return
    const { reason, votes } = this.#lost ?? { reason: 'expired', votes: NONE }
    throw lostMeanwhile(this.#key, reason, this.#attempts, votes, result)
  }

  static {
    friend = {
      tick: (lock) => lock.#tick,
      hasExtension: (lock) => lock.#extension !== null,
      /** An answer is on its way to it: until then it must stay where the answer will look for it. */
      isAwaited: (lock) => lock.#extension !== null || lock.#settleRelease !== null,
      extended: (lock, ttl) => lock.#extended(ttl),
      notExtended: (lock) => lock.#settleExtension(failWith(() => lock.#notExtended())),
      lose: (lock, reason, votes) => lock.#lose(reason, votes),
      abort: (lock) => lock.#controller?.abort(lock.#lost),
      mustNotBeLost: (lock, result) => lock.#mustNotBeLost(result),

      /** Its holder wants to know whether it was held to the end. */
      mustBeProven(lock) {
        lock.#mustBeProven = true
      },

      /** From here on the handle is not held, whatever native code still answers. */
      releasing(lock, settle) {
        if (lock.#mustBeProven) lock.#wasLate = !lock.isHeld
        if (lock.#state === HELD) lock.#state = RELEASED
        lock.#settleRelease = settle
      },
      released(lock, code) {
        lock.#settleRelease(RELEASE_RESULTS[code])
        lock.#settleRelease = null
        if (lock.#extension !== null) friend.notExtended(lock)
      },
    }
  }
}

const hex = (word) => (word >>> 0).toString(16).padStart(8, '0')

module.exports = { Lock, friend }
