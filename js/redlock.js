'use strict'

// The public class: checks what the user gave, then hands it to the desk. Methods that return promises never throw.

const { MAX_MS, plainObject, onlyKnown, integer, callback, abortSignal, checkTtl } = require('./argument')
const { reasonOf } = require('./call')
const { parseCallOptions, parseWhenLost, SECTION_NAMES } = require('./call-options')
const { IS_DRAINED, closeDesk, drainDesk, shutDesk, watchExit } = require('./closing')
const { Desk } = require('./desk')
const { channels, watchAcquire, watchSection } = require('./diagnostics')
const { DistributedLock, FencedDistributedLock } = require('./distributed-lock')
const { Layers } = require('./fallback/layers')
const { checkReach } = require('./fallback/options')
const { localProvider } = require('./fallback/local')
const { Emitter, WATCH } = require('./emitter')
const { nodesFromEnv } = require('./env')
const failure = require('./failure')
const { keepListened } = require('./keeping')
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
  #layers = null // made when a call may need it
  #closing = null
  #lastStats = null

  constructor(options) {
    this.#settings = parseOptions(options)
    this.#desk = new Desk(this.#settings, new Emitter(), this)
    const { to, breaksAll } = this.#settings.fallback
    if (to !== 'throw' || breaksAll) this.#makeLayers()
    watchExit()
  }

  static fromEnv(env = process.env, overrides = {}) {
    plainObject('overrides', overrides)
    return new this({ ...overrides, nodes: overrides.nodes === undefined ? nodesFromEnv(env) : overrides.nodes })
  }

  get maxTtl() {
    return this.#settings.maxTtl
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
      if (refusal !== null)
        return channels.acquire.hasSubscribers ? watchAcquire(this, key, ttl, request.signal, refusal) : refusal
      const layers = this.#layersFor(request)
      if (layers === null) return runSection(this.#desk, request, fn, whenLost)
      const run = (start) => layers.section(request, start, whenLost)
      return channels.acquire.hasSubscribers ? watchSection(this, request, fn, run) : run(fn)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  createLock(resource, options = {}) {
    plainObject('options', options)
    onlyKnown('options', options, CREATE_NAMES)
    const { ttl = this.#settings.defaultTtl, renew = false, ...retry } = options
    const { key } = this.#parse(resource, ttl, { ...retry, renew }, false)
    const { maxTtl, native } = this.#settings
    const Kind = native.fencing ? FencedDistributedLock : DistributedLock
    return new Kind(this, key, { ttl, maxTtl, options: { ...retry, renew } })
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
    return this.#lastStats ?? statsOf(this.#desk.engine.stats(), this.#settings, this.#desk.unreleased, this.#layers)
  }

  locks() {
    return this.#lastStats === null ? this.#desk.engine.locks() : []
  }

  on(name, listener) {
    this.#desk.emitter.on(name, listener)
    keepListened(this.#desk)
    return this
  }

  once(name, listener) {
    this.#desk.emitter.once(name, listener)
    keepListened(this.#desk)
    return this
  }

  off(name, listener) {
    this.#desk.emitter.off(name, listener)
    keepListened(this.#desk)
    return this
  }

  [WATCH](name, listener) {
    this.#desk.emitter.watch(name, listener)
  }

  drain() {
    if (this.#isRefusing) return
    this.#isRefusing = true
    drainDesk(this.#desk)
    this.#layers?.rejectWaiting()
  }

  get [IS_DRAINED]() {
    return this.#isRefusing
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
    try {
      await Promise.all([closeDesk(this.#desk, timeout), this.#layers?.close(timeout)])
    } finally {
      this.#lastStats = closedStats(this.stats())
      shutDesk(this.#desk)
    }
  }

  #acquire(key, ttl, options, isTry) {
    try {
      if (options !== undefined || typeof key !== 'string') {
        const request = this.#parse(key, ttl, options, false)
        return this.#refusal(request.key, request.signal, isTry) ?? this.#ask(request, isTry)
      }
      checkKey(key, this.#settings.boundary)
      checkTtl(ttl, this.#settings.maxTtl)
      if (this.#layers !== null) {
        const request = { key, keys: null, ttl, retry: null, signal: null, renew: false }
        return this.#refusal(key, null, isTry) ?? this.#layers.acquire(request, isTry)
      }
      return this.#refusal(key, null, isTry) ?? this.#desk.acquire(key, ttl, isTry, false, null, null, null)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #ask(request, isTry) {
    const layers = this.#layersFor(request)
    if (layers !== null) return layers.acquire(request, isTry)
    const { key, keys, ttl, retry, signal, renew } = request
    return this.#desk.acquire(key, ttl, isTry, renew, keys, retry, signal)
  }

  /** Null where only the nodes are asked. Once a call has had a fallback, all look at what that one holds. */
  #layersFor({ fallback = 'throw' }) {
    if (this.#layers === null && fallback !== 'throw') this.#makeLayers()
    return this.#layers
  }

  #makeLayers() {
    const local = () => localProvider(this.#settings, (options) => new Redlock(options))
    this.#layers = new Layers(this.#desk, local)
  }

  /** Everything about a call that can be wrong, found before anything is sent. */
  #parse(key, ttl, options, renewDefault, names) {
    const keys = checkKeys(key, this.#settings.boundary)
    checkTtl(ttl, this.#settings.maxTtl)
    const given = options === undefined ? {} : options
    const parsed = parseCallOptions(given, this.#settings, renewDefault, names)
    if (parsed.fallback !== undefined) checkReach(parsed.fallback, ttl, 'the ttl of this call')
    const isList = typeof key !== 'string'
    return { key: isList ? Object.freeze([...key]) : key, keys: isList ? keys : null, ttl, ...parsed }
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
