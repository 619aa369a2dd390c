'use strict'

// One per Redlock: hands calls to its native engine and answers back to whoever asked. Calls and locks stand in plain
// arrays by slot, native code's number for them; a slot is free again after its final record. Nothing is sent before
// `flush`, once per burst of calls.
//
// The path of acquire + release is the one that is measured: one native call, one promise and one small object each.

const record = require('./record')
const { answer, detailOf } = require('./answers')
const { askForLock } = require('./asking')
const { ACQUIRE, TRY, CONNECT, INSPECT, Call, listen, unlisten, reasonOf } = require('./call')
const { channels, noteGrant, watchRelease, tellLost } = require('./diagnostics')
const { FencedLock } = require('./fenced-lock')
const { Lock, friend } = require('./lock')
const { Orphans, Aged } = require('./orphans')
const { startEngine } = require('./start')
const { votesFromDetail } = require('./votes')
const failure = require('./failure')
const { openMailbox } = require('./mailbox')
const { noticeTaker } = require('./notices')
const { complain } = require('./report')

/** Stands in `locks` for a grant that nobody wants any more: it is being released. */
const UNWANTED = Symbol('unwanted')

/** The result of a release without answer: `unknown`. */
const UNKNOWN = 2

const SETTLED = Promise.resolve()

// `new Promise` calls this at once; a closure for each promise would cost more. Whoever takes the two must forget them
// here, since they reach the promise, and through it the handle.
let settle = null
let refuse = null
const capture = (resolve, reject) => {
  settle = resolve
  refuse = reject
}
const forget = () => capture(null, null)

class Desk {
  calls = []
  locks = []
  live = 0 // grants not released yet, wanted or not
  unreleased = 0 // handles that were collected before release()
  queries = 0 // of the pending records, those of connect and inspect
  running = new Set() // the locks of running sections
  isClosing = false
  isShut = false
  isInLab // nothing happens there by itself, and nothing may depend on the garbage collector
  onNodes = null // called after a node has gone down or come back: the fallback watches that
  layers = null // where there is a fallback: tests look at what that has given, and clear it away
  onQuiet = null // called whenever less is held or owed than before: closing waits for it
  #isFlushPlanned = false
  #flush = () => this.#flushNow()
  #orphans = new Orphans(this)
  #takeNotices
  #Handle

  constructor(settings, emitter, redlock) {
    const { native, mailbox } = openMailbox()
    this.mailbox = mailbox
    this.redlock = redlock // whose desk this is: for who is told of what happens
    this.settings = settings
    this.clock = settings.clock
    this.isInLab = settings.lab !== null
    this.#Handle = settings.native.fencing ? FencedLock : Lock
    this.emitter = emitter
    this.native = native
    this.engine = startEngine(native, settings, mailbox)
    this.id = this.engine.id
    this.route = mailbox.addRoute(this.id, this, !this.isInLab)
    this.#takeNotices = noticeTaker(this)
  }

  // -- questions

  acquire(key, ttl, isTry, renew, keys, retry, signal) {
    const slot = askForLock(this, key, ttl, isTry, renew, keys, retry)
    return this.#ask(isTry ? TRY : ACQUIRE, key, ttl, slot, signal)
  }

  connect(timeout, signal) {
    this.queries += 1
    return this.#ask(CONNECT, undefined, timeout, this.engine.connect(timeout), signal)
  }

  inspect(key) {
    this.queries += 1
    return this.#ask(INSPECT, key, 0, this.engine.inspect(key), null)
  }

  #ask(kind, key, ttl, slot, signal) {
    const promise = new Promise(capture)
    const call = new Call(kind, key, ttl, settle, refuse)
    forget()
    this.calls[slot] = call
    if (signal !== null) listen(signal, call, () => this.abandonCall(slot, call, reasonOf(signal)))
    this.#owe()
    return promise
  }

  extend(lock, slot, ttl) {
    this.#holdAgain(lock, slot)
    this.engine.extend(slot, ttl)
    this.#owe()
  }

  release(lock, slot) {
    const promise = new Promise(capture)
    friend.releasing(lock, settle)
    forget()
    if (channels.release.hasSubscribers) watchRelease(this.redlock, lock, promise)
    this.#holdAgain(lock, slot)
    this.#owe()
    try {
      this.native.release(this.id, slot)
    } catch (error) {
      complain('a lock could not be released', error) // and must not replace what the user's function did
      this.#released(slot, UNKNOWN)
    }
    return promise
  }

  remaining(slot) {
    return this.native.remaining(this.id, slot)
  }

  /** The caller has his answer now; native code gives everything back and then frees the slot. */
  abandonCall(slot, call, reason) {
    if (call.gone) return
    call.gone = true
    unlisten(call)
    call.reject(reason)
    if (call.kind !== INSPECT) this.engine.cancel(slot)
    if (call.kind === CONNECT || call.kind === INSPECT) {
      this.queries -= 1
      this.#paid() // nobody waits for a question that changes nothing
    }
    this.planFlush()
  }

  /** An old handle was collected unreleased. */
  abandon(aged) {
    this.unreleased += 1
    this.#releaseUnwanted(aged.slot)
  }

  planFlush() {
    if (this.#isFlushPlanned) return
    this.#isFlushPlanned = true
    SETTLED.then(this.#flush)
  }

  // -- answers

  take(words, at) {
    const slot = words[at + record.SLOT]
    switch (words[at + record.KIND]) {
      case record.GRANTED:
        return this.#granted(slot, words, at)
      case record.RELEASED:
        return this.#released(slot, words[at + record.CODE])
      case record.CONTENDED:
      case record.UNAVAILABLE:
      case record.CONNECT_FAILED:
      case record.INSPECTED:
        return this.#answered(slot, words[at + record.KIND], detailOf(this.engine, slot))
      case record.CANCELLED:
      case record.CONNECTED:
        return this.#answered(slot, words[at + record.KIND], null)
      case record.EXTENDED:
        return this.#extended(slot, words[at + record.TTL])
      case record.EXTEND_FAILED:
        return this.#extended(slot, null)
      case record.LOST:
        return this.#lost(slot, failure.LOST_REASONS[words[at + record.CODE]])
      case record.NOTICE:
        return this.#takeNotices()
      default:
        throw new Error(`unknown kind of record ${words[at + record.KIND]}`)
    }
  }

  #granted(slot, words, at) {
    const call = this.calls[slot]
    this.calls[slot] = undefined
    this.live += 1
    if (call !== undefined) this.#paid()
    if (call === undefined || call.gone) {
      this.#releaseUnwanted(slot)
      return
    }
    if (call.signal !== null) unlisten(call)
    const lock = new this.#Handle(this, slot, call.key, words, at, this.#orphans.tick)
    this.locks[slot] = lock
    if (!this.isInLab) this.#orphans.watch(slot)
    if (channels.release.hasSubscribers) noteGrant(lock)
    call.resolve(lock)
  }

  #released(slot, code) {
    const lock = this.locks[slot]
    if (lock === undefined) return
    this.locks[slot] = undefined
    this.live -= 1
    if (lock !== UNWANTED) {
      if (friend.hasExtension(lock)) this.#paid() // no other record follows for this slot
      friend.released(lock, code)
    }
    this.#paid()
  }

  /** Every call but a granted one ends here. */
  #answered(slot, kind, detail) {
    const call = this.calls[slot]
    this.calls[slot] = undefined
    if (call === undefined) return
    const isQuery = call.kind === CONNECT || call.kind === INSPECT
    if (!(isQuery && call.gone)) this.#paid() // an abandoned query was paid for when it was abandoned
    if (call.gone) return
    if (isQuery) this.queries -= 1
    unlisten(call)
    answer(call, kind, detail, this.settings)
  }

  #extended(slot, ttl) {
    const lock = this.lockAt(slot) // held by the desk while it waits for this answer
    if (lock === undefined || !friend.hasExtension(lock)) return
    this.#paid()
    if (ttl === null) friend.notExtended(lock)
    else friend.extended(lock, ttl)
  }

  #lost(slot, reason) {
    const lock = this.lockAt(slot)
    const votes = votesFromDetail(detailOf(this.engine, slot).votes, this.settings.names)
    if (lock === undefined) return
    if (!friend.lose(lock, reason, votes)) return
    this.mailbox.afterBatch(() => this.tellLoss(lock, reason))
    if (this.onQuiet !== null) this.onQuiet()
  }

  /** Runs user code: abort listeners and listeners of `lost`. */
  tellLoss(lock, reason) {
    if (channels.lost.hasSubscribers) tellLost(this.redlock, lock, reason)
    friend.abort(lock)
    this.emitter.emit('lost', { key: lock.key, id: lock.id, reason })
  }

  // -- what is alive

  /** The handle in this slot, old or young, if the user can still reach it. */
  lockAt(slot) {
    const entry = this.locks[slot]
    if (entry instanceof Aged) return entry.weak.deref()
    return entry === UNWANTED ? undefined : entry
  }

  /** The user came back to an old handle: it must not be collected before native code has answered. */
  #holdAgain(lock, slot) {
    if (this.locks[slot] === lock) return
    this.#orphans.rejuvenate(this.locks[slot])
    this.locks[slot] = lock
  }

  #releaseUnwanted(slot) {
    this.locks[slot] = UNWANTED
    this.native.release(this.id, slot)
    this.#owe()
  }

  #owe() {
    if (!this.#isFlushPlanned) this.planFlush()
    const { route } = this
    route.pending += 1
    if (route.pending === 1) this.mailbox.awaited(route, this)
  }

  #paid() {
    this.route.pending -= 1
    if (this.onQuiet !== null) this.onQuiet()
  }

  #flushNow() {
    this.#isFlushPlanned = false
    if (this.isShut) return
    try {
      if (this.native.flush(this.id)) this.mailbox.collect()
    } catch (error) {
      complain('calls could not be sent', error)
    }
  }
}

module.exports = { Desk, UNKNOWN, UNWANTED }
