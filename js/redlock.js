'use strict'

// The public class: checks what the user gave, then hands it to the desk. Methods that return promises never throw.

const { MAX_MS, plainObject, onlyKnown, integer, callback, abortSignal, checkTtl } = require('./argument')
const { reasonOf } = require('./call')
const { parseCallOptions, parseWhenLost, SECTION_NAMES } = require('./call-options')
const { closeDesk, drainDesk, shutDesk, watchExit } = require('./closing')
const { Desk } = require('./desk')
const { channels, watchAcquire } = require('./diagnostics')
const { DistributedLock } = require('./distributed-lock')
const { Emitter } = require('./emitter')
const { nodesFromEnv } = require('./env')
const failure = require('./failure')
const { checkKey, checkKeys } = require('./key')
const { parseOptions } = require('./options')
const { isHeldHere } = require('./reentrancy')
const { runSection } = require('./section')
const { statsOf, closedStats } = require('./snapshot')

const CONNECT_TIMEOUT = 10_000
const CLOSE_TIMEOUT = 5000

const CREATE_NAMES = ['ttl', 'renew', 'retryDelay', 'retryDelayMax']

class Redlock {
  #settings
  #desk
  #isRefusing = false // new calls, from drain() or close() on
  #closing = null
  #lastStats = null

  constructor(options) {
    this.#settings = parseOptions(options)
    this.#desk = new Desk(this.#settings, new Emitter(), this)
    watchExit()
  }

  static fromEnv(env = process.env, overrides = {}) {
    plainObject('overrides', overrides)
    return new this({ ...overrides, nodes: overrides.nodes === undefined ? nodesFromEnv(env) : overrides.nodes })
  }

  acquire(key, ttl, options) {
    const answer = this.#acquire(key, ttl, options, false)
    return channels.acquire.hasSubscribers ? watchAcquire(this, key, ttl, options?.signal, answer) : answer
  }

  tryAcquire(key, ttl, options) {
    const answer = this.#acquire(key, ttl, options, true)
    return channels.acquire.hasSubscribers ? watchAcquire(this, key, ttl, options?.signal, answer) : answer
  }

  withLock(key, ttl, fn, options) {
    try {
      const request = this.#parse(key, ttl, options, this.#settings.renew, SECTION_NAMES)
      const whenLost = parseWhenLost(options)
      callback('fn', fn)
      const refusal = this.#refusal(request.key, request.signal, false)
      if (refusal === null) return runSection(this.#desk, request, fn, whenLost)
      return channels.acquire.hasSubscribers ? watchAcquire(this, key, ttl, request.signal, refusal) : refusal
    } catch (error) {
      return Promise.reject(error)
    }
  }

  createLock(resource, options = {}) {
    plainObject('options', options)
    onlyKnown('options', options, CREATE_NAMES)
    const { ttl = this.#settings.defaultTtl, renew = false, ...retry } = options
    const { key } = this.#parse(resource, ttl, { ...retry, renew }, false)
    return new DistributedLock(this, key, { ttl, maxTtl: this.#settings.maxTtl, options: { ...retry, renew } })
  }

  connect(options = {}) {
    try {
      plainObject('options', options)
      onlyKnown('options', options, ['timeout', 'signal'])
      const { timeout = CONNECT_TIMEOUT, signal } = options
      integer('timeout', timeout, 0, MAX_MS)
      if (signal !== undefined) abortSignal('signal', signal)
      if (this.#isRefusing) throw failure.closed('connect')
      if (signal?.aborted) return Promise.reject(reasonOf(signal))
      return this.#desk.connect(timeout, signal ?? null)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  inspect(key) {
    try {
      checkKey(key, this.#settings.boundary)
      if (this.#isRefusing) throw failure.closed('inspect', key)
      return this.#desk.inspect(key)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  stats() {
    return this.#lastStats ?? statsOf(this.#desk.engine.stats(), this.#settings, this.#desk.unreleased)
  }

  locks() {
    return this.#lastStats === null ? this.#desk.engine.locks() : []
  }

  on(name, listener) {
    this.#desk.emitter.on(name, listener)
    this.#desk.listened()
    return this
  }

  once(name, listener) {
    this.#desk.emitter.once(name, listener)
    this.#desk.listened()
    return this
  }

  off(name, listener) {
    this.#desk.emitter.off(name, listener)
    this.#desk.listened()
    return this
  }

  drain() {
    if (this.#isRefusing) return
    this.#isRefusing = true
    drainDesk(this.#desk)
  }

  close(options = {}) {
    try {
      plainObject('options', options)
      onlyKnown('options', options, ['timeout'])
      const { timeout = CLOSE_TIMEOUT } = options
      integer('timeout', timeout, 0, MAX_MS)
      this.drain()
      this.#closing ??= this.#close(timeout)
      return this.#closing
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async #close(timeout) {
    await closeDesk(this.#desk, timeout)
    this.#lastStats = closedStats(this.stats())
    shutDesk(this.#desk)
  }

  #acquire(key, ttl, options, isTry) {
    try {
      if (options !== undefined || typeof key !== 'string') {
        const request = this.#parse(key, ttl, options, false)
        return (
          this.#refusal(request.key, request.signal, isTry) ??
          this.#desk.acquire(request.key, ttl, isTry, request.renew, request.keys, request.retry, request.signal)
        )
      }
      checkKey(key, this.#settings.boundary)
      checkTtl(ttl, this.#settings.maxTtl)
      return this.#refusal(key, null, isTry) ?? this.#desk.acquire(key, ttl, isTry, false, null, null, null)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Everything about a call that can be wrong, found before anything is sent. */
  #parse(key, ttl, options, renewDefault, names) {
    const keys = checkKeys(key, this.#settings.boundary)
    checkTtl(ttl, this.#settings.maxTtl)
    const given = options === undefined ? {} : options
    const { retry, signal, renew } = parseCallOptions(given, this.#settings, renewDefault, names)
    const isList = typeof key !== 'string'
    return { key: isList ? Object.freeze([...key]) : key, keys: isList ? keys : null, ttl, retry, signal, renew }
  }

  /** The answers that need no node; null when the nodes are to be asked. */
  #refusal(key, signal, isTry) {
    if (this.#isRefusing) return Promise.reject(failure.closed('lock', key))
    if (signal?.aborted) return Promise.reject(reasonOf(signal))
    if (isHeldHere(this.#settings.scope, key))
      return isTry ? Promise.resolve(null) : Promise.reject(failure.reentrant(key))
    return null
  }
}

module.exports = { Redlock }
