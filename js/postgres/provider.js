'use strict'

// A LockProvider on Postgres advisory locks, over the user's own pool. Checks what it is given, keeps the order of the
// callers, and knows what is held and who waits, for close().

const { plainObject, onlyKnown, integer, callback, checkTtl, MAX_MS } = require('../argument')
const { reasonOf, listen, unlisten } = require('../call')
const { parseCallOptions, parseWhenLost, totalWait } = require('../call-options')
const { DistributedLock } = require('../distributed-lock')
const { RedlockClosedError } = require('../errors')
const coreFailure = require('../failure')
const { TAKE_AWAY } = require('../handle')
const { checkKeys } = require('../key')
const { isHeldHere } = require('../reentrancy')
const { advisoryKeys } = require('./advisory-keys')
const { askPostgres } = require('./asking')
const ends = require('./ends')
const failure = require('./failure')
const { PostgresLock } = require('./lock')
const { parseProviderOptions } = require('./options')
const { runSection } = require('./section')
const session = require('./session')
const transaction = require('./transaction')
const { Turns } = require('./turns')

const CALL_NAMES = ['wait', 'retryCount', 'retryDelay', 'retryDelayMax', 'signal', 'renew']
const SECTION_NAMES = [...CALL_NAMES, 'whenLost']
const CREATE_NAMES = ['ttl', 'renew', 'retryDelay', 'retryDelayMax']
const CLOSE_TIMEOUT = 5000
const TICK_MS = 10

// Which locks exclude each other in one async context: those of one pool and namespace.
const pools = new WeakMap()
let poolCount = 0

function scopeOf({ pool, namespace }) {
  if (!pools.has(pool)) pools.set(pool, ++poolCount)
  return `postgres ${pools.get(pool)} ${namespace}`
}

class PostgresLockProvider {
  #settings
  #form
  #scope
  #turns = new Turns()
  #held = new Set()
  #waiting = new Map()
  #closing = null

  constructor(options) {
    this.#settings = parseProviderOptions(options)
    this.#form = this.#settings.mode === 'session' ? session : transaction
    this.#scope = scopeOf(this.#settings)
  }

  get maxTtl() {
    return this.#settings.maxTtl
  }

  async acquire(key, ttl, options) {
    return this.#acquireHeld(this.#parse(key, ttl, options, false, CALL_NAMES))
  }

  async tryAcquire(key, ttl, options) {
    const request = this.#parse(key, ttl, options, false, CALL_NAMES)
    const lock = await this.#acquire(request, true)
    if (lock === null || lock.isHeld) return lock
    await lock.release()
    throw failure.unavailable(request.key, lock.attempts, failure.noAnswer(ttl)) // as nodes that answer later than that
  }

  async withLock(key, ttl, fn, options) {
    const request = this.#parse(key, ttl, options, this.#settings.renew, SECTION_NAMES)
    const whenLost = parseWhenLost(options)
    callback('fn', fn)
    const lock = await this.#acquireHeld(request)
    return runSection(lock, this.#scope, request.key, fn, { whenLost, commits: this.#form === transaction })
  }

  createLock(resource, options = {}) {
    plainObject('options', options)
    onlyKnown('options', options, CREATE_NAMES)
    const { ttl = this.#settings.defaultTtl, renew = false, ...retry } = options
    const { key } = this.#parse(resource, ttl, { ...retry, renew }, false, CALL_NAMES)
    return new DistributedLock(this, key, { ttl, maxTtl: this.#settings.maxTtl, options: { ...retry, renew } })
  }

  async close(options = {}) {
    plainObject('options', options)
    onlyKnown('options', options, ['timeout'])
    const { timeout = CLOSE_TIMEOUT } = options
    integer('timeout', timeout, 0, MAX_MS)
    this.#closing ??= this.#close(timeout)
    return this.#closing
  }

  async #close(timeout) {
    for (const [call, end] of [...this.#waiting]) end(closed(call.key))
    await this.#untilNothingIsHeld(timeout)
    for (const lock of this.#held) lock[TAKE_AWAY]()
    await this.#untilNothingIsHeld(this.#settings.answerTimeout)
  }

  /** Every lock leaves `#held` by itself in the end: when it has been given back, or its connection destroyed. */
  async #untilNothingIsHeld(ms) {
    const end = performance.now() + ms
    while (this.#held.size > 0 && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, TICK_MS))
  }

  #parse(key, ttl, options = {}, renewDefault, names) {
    const keys = checkKeys(key, null)
    checkTtl(ttl, this.#settings.maxTtl)
    const { retry, signal, renew } = parseCallOptions(options, this.#settings, renewDefault, names)
    const wait = totalWait(retry ?? this.#settings.retry)
    return {
      key: typeof key === 'string' ? key : Object.freeze([...key]),
      numbers: advisoryKeys(this.#settings.namespace, keys),
      ttl,
      retry: retry ?? this.#settings.retry,
      wait,
      deadline: performance.now() + wait,
      signal,
      renew,
    }
  }

  async #acquire(request, isTry) {
    const { key, signal } = request
    if (this.#closing !== null) throw closed(key)
    if (signal?.aborted) throw reasonOf(signal)
    if (isHeldHere(this.#scope, key)) {
      if (isTry) return null
      throw coreFailure.reentrant(key)
    }
    const controller = new AbortController()
    const call = { key, signal: null }
    this.#waiting.set(call, (reason) => controller.abort(reason))
    if (signal !== null) listen(signal, call, () => controller.abort(reasonOf(signal)))
    try {
      return await this.#ask(request, isTry, controller.signal)
    } finally {
      unlisten(call)
      this.#waiting.delete(call)
    }
  }

  /** The turn is kept as long as the lock is: others of this process need not ask Postgres meanwhile. */
  async #ask(request, isTry, signal) {
    const { key } = request
    const stand = this.#turns.stand(request.numbers)
    const leave = () => stand.leave()
    try {
      const hasCome = stand.isFirst || (!isTry && (await comes(stand, request.deadline, signal)))
      const isOurTurn = hasCome || stand.overtake()
      if (!isOurTurn && !isTry) throw failure.contended(key, 1)
      const grant = isOurTurn ? await askPostgres(this.#form, this.#settings, request, isTry, signal) : null
      if (grant === null) {
        leave()
        return null
      }
      const lock = new PostgresLock(this.#form, grant, request, this.#settings, () => {
        this.#held.delete(lock)
        leave()
      })
      this.#held.add(lock)
      return lock
    } catch (error) {
      leave()
      throw error
    }
  }

  /** A grant that was over when it came was none. */
  async #acquireHeld(request) {
    for (;;) {
      const lock = await this.#acquire(request, false)
      if (lock.isHeld) return lock
      await lock.release()
      if (performance.now() >= request.deadline) throw coreFailure.grantedTooLate(request.key, lock.attempts, [])
    }
  }
}

/** Whether our turn came before the wait was over; rejects with the signal's reason when that aborts. */
async function comes(stand, deadline, signal) {
  const late = ends.timer(Math.max(0, deadline - performance.now()), () => LATE)
  const aborted = ends.onAbort(signal)
  try {
    await Promise.race([stand.turn, late.promise, aborted.promise])
    return true
  } catch (error) {
    if (error !== LATE) throw error
    return false
  } finally {
    late.clear()
    aborted.clear()
  }
}

const LATE = new Error('the wait is over')

const closed = (key) =>
  new RedlockClosedError(`could not lock ${JSON.stringify(key)}: this PostgresLockProvider is closed`, { key })

module.exports = { PostgresLockProvider }
