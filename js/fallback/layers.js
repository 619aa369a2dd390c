'use strict'

// Which layer gives a lock: the nodes or, where no quorum of them can vote, the fallback. One for each Redlock that has
// a fallback or a breaker. Only a QuorumUnavailableError leads to the fallback: who is refused stays refused.

const { totalWait } = require('../call-options')
const { reasonOf } = require('../call')
const { LockContendedError, QuorumUnavailableError } = require('../errors')
const failure = require('../failure')
const { runSection } = require('../section')
const { Breaker, CALL, PROBE, STOP } = require('./breaker')
const { isOurs, untilFree } = require('./overlap')
const { Patience } = require('./patience')
const { SecondLayer } = require('./second-layer')
const { Waiting } = require('./waiting')

class Layers {
  #desk
  #options
  #local
  #breaker
  #patience
  #waiting
  #second
  #degraded = false
  #lastFailure = null

  /** @param {() => object} local gives the provider that 'local' stands for */
  constructor(desk, local) {
    this.#desk = desk
    this.#options = desk.settings.fallback
    this.#local = local
    this.#patience = new Patience(desk)
    this.#waiting = new Waiting(desk.clock)
    this.#second = new SecondLayer(desk, this.#waiting)
    this.#makeBreaker()
    desk.layers = this
  }

  /** Whether the last call that could choose was sent to the fallback. */
  get degraded() {
    return this.#degraded
  }

  /** How many locks of the fallback are held. */
  get held() {
    return this.#second.held
  }

  /** How many calls wait for it, or for this process to let go of what it has given. */
  get waiting() {
    return this.#waiting.count
  }

  /** Undefined without a breaker. */
  get breaker() {
    return this.#breaker?.state
  }

  /** @param {object} request as Redlock has parsed it; `fallback` and `after` are undefined where the call says nothing */
  async acquire(request, isTry) {
    const trial = this.#begin(request)
    if (trial.cause === null) {
      try {
        return await this.#ask(trial, isTry, request.retry)
      } catch (error) {
        if (!(error instanceof QuorumUnavailableError)) throw error
        trial.cause = error
      }
    }
    const provider = this.#provider(trial)
    return this.#second.acquire(provider, request, this.#left(trial), isTry, trial.cause)
  }

  async section(request, fn, whenLost) {
    const trial = this.#begin(request)
    if (trial.cause === null) {
      let isStarted = false
      const start = (lock) => {
        isStarted = true
        return fn(lock)
      }
      try {
        return await runSection(this.#desk, request, start, whenLost, (retry) => this.#ask(trial, false, retry))
      } catch (error) {
        if (isStarted || !(error instanceof QuorumUnavailableError)) throw error // what fn throws is not ours
        trial.cause = error
      }
    }
    const provider = this.#provider(trial)
    return this.#second.section(provider, request, this.#left(trial), fn, whenLost, trial.cause)
  }

  #makeBreaker() {
    this.#breaker = this.#options.breaker === null ? null : new Breaker(this.#options.breaker)
  }

  /** As if nothing had happened yet. */
  reset() {
    this.#makeBreaker()
    this.#lastFailure = null
    this.#setDegraded(false, undefined)
    this.#waiting.rejectAll(failure.reset)
    return this.#second.takeAway()
  }

  /** @returns {Promise<void> | null} null where the fallback has not given this key */
  lose(key) {
    return this.#second.lose(key)
  }

  /** The keys that the fallback has given. */
  keys() {
    return this.#second.keys()
  }

  rejectWaiting() {
    this.#waiting.rejectAll(failure.closed)
  }

  /** After rejectWaiting(). */
  close(timeout) {
    return this.#second.close(timeout)
  }

  #begin(request) {
    const to = request.fallback ?? this.#options.to
    const trial = { request, to, since: this.#desk.clock.now(), isProbe: false, cause: null }
    const pass = this.#heedsBreaker(to) ? this.#breaker.ask(trial.since, this.#patience.canVote) : CALL
    if (pass === PROBE) trial.isProbe = true
    if (pass === STOP) trial.cause = this.#stopped(request.key)
    return trial
  }

  /** A call that has nobody else to ask does not go by a breaker that the instance was not given. */
  #heedsBreaker(to) {
    return this.#breaker !== null && (to !== 'throw' || this.#options.breaksAll)
  }

  /** Where a call goes that the nodes could not answer. */
  #provider({ request, to, cause }) {
    if (to === 'throw') throw cause
    if (this.#desk.isClosing) throw failure.closed('lock', request.key)
    if (request.signal?.aborted) throw reasonOf(request.signal)
    this.#setDegraded(true, cause)
    return to === 'local' ? this.#local() : to
  }

  /** A lock of the nodes, and never while this process holds one of its keys by the fallback. */
  async #ask(trial, isTry, given) {
    const { request } = trial
    const isTaken = () => this.#second.holds(request.key)
    // While the nodes cannot vote the fallback has a queue of its own, which is not to be stood before.
    const mustWait = () => !this.#desk.isClosing && this.#patience.canVote && isTaken()
    let retry = given
    if (trial.isProbe) {
      const lock = await this.#probe(trial)
      if (lock !== null && !isTaken()) return lock
      if (lock !== null) await lock.release()
      if (isTry) return null
    }
    for (;;) {
      if (mustWait()) {
        if (isTry) return null
        await this.#untilFree(mustWait, trial)
        retry = { ...(given ?? this.#desk.settings.retry), wait: Math.max(1, this.#left(trial)) }
      }
      const lock = await this.#attempt(trial, isTry, retry)
      if (lock === null || !isTaken()) return lock
      await lock.release()
    }
  }

  #untilFree(mustWait, { request, since }) {
    const { clock } = this.#desk
    const deadline = since + this.#total(request)
    return this.#waiting.run(request, async (over) => {
      if (!(await untilFree(mustWait, deadline, over, clock))) throw failure.heldByFallback(request.key)
    })
  }

  /**
   * One round, which nodes that are up answer or fail soon. A key that this process asks for or holds anyway may be
   * refused without a word of theirs, which would prove nothing.
   */
  #probe(trial) {
    const { key, retry } = trial.request
    if (!isOurs(this.#desk, key)) return this.#attempt(trial, true, retry)
    trial.isProbe = false
    this.#breaker.undecided(true)
    throw this.#stopped(key)
  }

  /** Asks the nodes, and tells the breaker. With a fallback, no longer than until it is clear that they cannot vote. */
  async #attempt(trial, isTry, retry) {
    const { request, to, isProbe } = trial
    const { key, keys, ttl, renew, signal } = request
    trial.isProbe = false // it is one until its first answer
    const limit = this.#limit(request, isTry)
    const attempt = to === 'throw' ? null : this.#patience.begin(limit, signal)
    try {
      // What came before may have taken time: the caller may have gone, and this instance be closing.
      if (signal?.aborted) throw reasonOf(signal)
      if (this.#desk.isClosing) throw failure.closed('lock', key)
      const lock = await this.#desk.acquire(key, ttl, isTry, renew, keys, retry, attempt ?? signal)
      this.#voted(isProbe)
      return lock
    } catch (error) {
      const told = attempt?.isGivenUp ? this.#noQuorum(key) : error
      if (told instanceof LockContendedError && this.#isVoted(told)) this.#voted(isProbe)
      else if (told instanceof QuorumUnavailableError) this.#failed(told, isProbe)
      else this.#breaker?.undecided(isProbe)
      throw told
    } finally {
      attempt?.end()
    }
  }

  /** Where the wait ended before they had answered, nothing is known of the nodes. */
  #isVoted({ votes }) {
    return votes.filter(({ vote }) => vote !== 'faulted').length >= this.#desk.settings.native.quorum
  }

  #voted(isProbe) {
    this.#breaker?.succeeded(this.#desk.clock.now(), isProbe)
    if (this.#breaker === null || this.#breaker.state === 'closed') this.#setDegraded(false, undefined)
  }

  /** Whoever else waits for the same nodes need not find out by himself. */
  #failed(error, isProbe) {
    this.#lastFailure = error
    if (this.#breaker?.failed(this.#desk.clock.now(), isProbe)) this.#patience.giveUp(error)
  }

  #setDegraded(degraded, cause) {
    if (this.#degraded === degraded) return
    this.#degraded = degraded
    this.#desk.emitter.emit('degraded', { degraded, cause })
  }

  #total(request) {
    return totalWait(request.retry ?? this.#desk.settings.retry)
  }

  /** The fallback has at least half of the time. */
  #limit(request, isTry) {
    const after = request.after ?? this.#options.after
    return isTry ? after : Math.min(after, this.#total(request) / 2)
  }

  #left({ request, since }) {
    return Math.max(0, Math.floor(this.#total(request) - (this.#desk.clock.now() - since)))
  }

  #noQuorum(key) {
    const { names, native } = this.#desk.settings
    return failure.unavailable(key, { attempts: 1, votes: this.#faults() }, names.length, native.quorum)
  }

  #stopped(key) {
    return failure.circuitOpen(key, this.#lastFailure, this.#faults())
  }

  /** By the nodes' states; where these say nothing, by what the last call heard that had no quorum. */
  #faults() {
    const votes = this.#patience.votes()
    return votes.length > 0 ? votes : (this.#lastFailure?.votes ?? []).filter(({ vote }) => vote === 'faulted')
  }
}

module.exports = { Layers }
