'use strict'

// The handle of a lock in Postgres. Advisory locks have no ttl: a timer of this process ends the lease when the ttl has
// passed without renewal, and gives the lock back. `friend` is what the provider may do and users may not.

const { checkTtl } = require('../argument')
const { Handle, IS_RELEASED, TAKE_AWAY } = require('../handle')
const failure = require('./failure')

const GRANTED = Object.freeze([Object.freeze({ node: 'postgres', vote: 'granted' })])

let friend

class PostgresLock extends Handle {
  #form
  #connection
  #numbers
  #settings
  #ttl
  #renew
  #since = performance.now()
  #until
  #expiry = null
  #renewal = null
  #controller = null
  #lost = null
  #dropped = null
  #released = null
  #error = null // what kept it from being given back
  #gone

  /**
   * @param {{ connection: object, since: number, attempts: number }} grant `since`: before the lock was asked for
   * @param {() => void} gone told once, when the lock has been given back or is lost
   */
  constructor(form, grant, request, settings, gone) {
    super(request.key, grant.attempts, GRANTED)
    this.#form = form
    this.#connection = grant.connection
    this.#numbers = request.numbers
    this.#settings = settings
    this.#renew = request.renew
    this.#gone = gone
    this.#connection.onBroken = () => this.#lose('gone')
    this.#lasts(request.ttl, grant.since)
    if (this.#connection.error !== null) this.#lose('gone') // before anybody listened
  }

  get ttl() {
    return this.#ttl
  }

  /** In the transaction form: the client that is in the transaction. */
  get client() {
    return this.#form.showsClient ? this.#connection.client : undefined
  }

  get remaining() {
    return this.#isOver ? 0 : Math.max(0, this.#until - performance.now())
  }

  get [IS_RELEASED]() {
    return this.#released !== null
  }

  get signal() {
    if (this.#controller === null) {
      this.#controller = new AbortController()
      if (!this.#isOver && !this.isHeld) this.#expire() // after a blocked event loop the timer may still be on its way
      if (this.#lost !== null) this.#controller.abort(this.#lost)
    }
    return this.#controller.signal
  }

  async extend(ttl = this.#ttl) {
    checkTtl(ttl, this.#settings.maxTtl)
    if (!this.isHeld) throw this.#notExtended()
    const since = performance.now()
    try {
      await this.#form.check(this.#connection)
    } catch {
      this.#lose('gone')
    }
    if (this.#isOver) throw this.#notExtended()
    this.#lasts(ttl, since)
  }

  release() {
    this.#released ??= this.#release()
    return this.#released
  }

  [TAKE_AWAY](reason = 'closed') {
    this.#lose(reason)
    return this.release()
  }

  [Symbol.for('nodejs.util.inspect.custom')](_depth, options, inspect) {
    const { key, id, ttl, isHeld, remaining } = this
    return `PostgresLock ${inspect({ key, id, ttl, isHeld, remaining }, options)}`
  }

  get #isOver() {
    return this.#lost !== null || this.#released !== null
  }

  async #release() {
    if (this.#lost === null && this.remaining === 0) this.#expire()
    if (this.#lost !== null) {
      await this.#dropped
      return 'expired'
    }
    this.#stop()
    try {
      return await this.#form.finish(this.#connection, this.#numbers)
    } catch (error) {
      this.#error = error
      return 'unknown'
    } finally {
      this.#gone()
    }
  }

  #lasts(ttl, since) {
    this.#ttl = ttl
    this.#until = since + ttl
    clearTimeout(this.#expiry)
    this.#expiry = unref(setTimeout(() => this.#look(), Math.max(1, Math.ceil(this.#until - performance.now()))))
    if (this.#renew) this.#renewIn(ttl / 3)
  }

  #look() {
    if (this.#isOver) return
    if (this.remaining > 0) this.#lasts(this.#ttl, this.#until - this.#ttl)
    else this.#expire()
  }

  #expire() {
    this.#lose(this.#renew && performance.now() - this.#since >= this.#settings.maxHold ? 'maxHold' : 'expired')
  }

  #renewIn(ms) {
    clearTimeout(this.#renewal)
    this.#renewal = unref(setTimeout(() => this.#renewNow(), ms))
  }

  /** A check that fails changes nothing: a connection that breaks says so, and silence is ended by the ttl. */
  async #renewNow() {
    const since = performance.now()
    if (this.#isOver || since - this.#since >= this.#settings.maxHold) return
    try {
      await this.#form.check(this.#connection)
      if (this.isHeld) this.#lasts(this.#ttl, since)
    } catch {
      if (this.isHeld) this.#renewIn(this.#ttl / 3)
    }
  }

  #stop() {
    clearTimeout(this.#expiry)
    clearTimeout(this.#renewal)
    this.#connection.onBroken = null
  }

  #lose(reason) {
    if (this.#isOver) return
    this.#stop()
    this.#lost = failure.lost(this.key, reason, this.attempts)
    this.#dropped = Promise.resolve(this.#form.drop(this.#connection, this.#numbers)).then(() => this.#gone())
    this.#controller?.abort(this.#lost)
  }

  #notExtended() {
    const reason = this.#lost?.reason ?? (this.#released === null ? 'expired' : 'released')
    return failure.notExtended(this.key, reason, this.attempts)
  }

  static {
    friend = {
      /** Null while it is held, and after it has been given back in time. */
      lost(lock) {
        if (!lock.#isOver && !lock.isHeld) lock.#expire()
        return lock.#lost
      },
      error: (lock) => lock.#error,
      /** The function of the section has failed: what it has written is not to be. */
      cancel(lock) {
        if (lock.#isOver) return lock.release()
        lock.#stop()
        const over = Promise.resolve(lock.#form.cancel(lock.#connection, lock.#numbers))
        lock.#released = over.then(() => {
          lock.#gone()
          return 'released'
        })
        return lock.#released
      },
    }
  }
}

function unref(timer) {
  timer.unref()
  return timer
}

module.exports = { PostgresLock, friend }
