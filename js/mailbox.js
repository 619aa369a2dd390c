'use strict'

// Where native code's answers arrive: one per environment (main thread or worker). Native code calls `wake` once for
// a whole batch; each record is handed to the desk of its engine. User code (events, abort listeners) runs after the
// batch, so that no listener changes the state under records that are still being settled.
//
// It also keeps the event loop alive while answers are owed, and desks reachable while they have work.

// Test runners replace the global one.
const { setImmediate } = require('node:timers')
const { rests } = require('./keeping')
const record = require('./record')
const { loadNative } = require('./native')
const { complain } = require('./report')

const RECORDS = 1024

// How many microtasks to wait before believing that nothing is pending: what settles a promise is usually followed
// within three by the next call, and switching the event loop's interest off and on again would cost more.
const IDLE_HOPS = 3

// Nodes in memory answer within flush(). Such answers are collected in the same microtask, but after so many times the
// event loop gets a turn: else a loop of `await acquire`, `await release` would never let timers and sockets run.
const INLINE_LIMIT = 16

// Test runners load this file several times in one environment, but the addon only once: it carries the one mailbox. Who
// empties `require.cache` loads the addon again, and gets another mailbox.
const SHARED = Symbol.for('quorlock.mailbox')

const SETTLED = Promise.resolve()

/** The way to one desk. `owner` is set while the desk has work to do, so that only an idle one can be collected. */
class Route {
  constructor(id, desk, keepsAlive) {
    this.id = id
    this.keepsAlive = keepsAlive // the event loop, while records are pending
    this.weak = new WeakRef(desk)
    this.owner = desk
    this.busy = false
    this.pending = 0 // records that native code owes us
  }
}

/** Bun and Deno answer to the names of libuv, but have another event loop. */
const watchesSockets = () =>
  process.versions.bun === undefined &&
  process.versions.deno === undefined &&
  process.env.QUORLOCK_IO_THREAD_ONLY !== '1'

class Mailbox {
  batches = 0 // that had something in them
  #native
  #buffer = new Int32Array(RECORDS * record.WORDS)
  #routes = new Map()
  #collected = new FinalizationRegistry((id) => this.#routes.delete(id))
  #busy = new Set()
  #held = false
  #inline = 0
  #idleHops = 0
  #isCollectPlanned = false
  #collectLater = () => {
    this.#isCollectPlanned = false
    this.#wake()
  }
  #idleCheck = () => this.#checkIdle()
  #afterBatch = []

  constructor(native) {
    this.#native = native
    this.number = native.open(() => this.#wake(), watchesSockets())
    this.watches = native.watches(this.number)
  }

  addRoute(id, desk, keepsAlive) {
    const route = new Route(id, desk, keepsAlive)
    this.#routes.set(id, route)
    this.#collected.register(desk, id)
    this.#watch(route)
    this.#planIdleCheck()
    return route
  }

  removeRoute(route) {
    this.#routes.delete(route.id)
    route.owner = null
    route.pending = 0
    this.#planIdleCheck()
  }

  /** A desk calls this when the first record is owed to it. */
  awaited(route, desk) {
    route.owner = desk
    if (!route.busy) this.#watch(route)
    if (!this.#held && route.keepsAlive) {
      this.#held = true
      this.#native.hold(this.number)
    }
  }

  /** Runs user code once the batch that is being settled is through. */
  afterBatch(task) {
    this.#afterBatch.push(task)
  }

  /** The desks that still exist, for the end of the process. */
  desks() {
    return [...this.#routes.values()].map(({ owner, weak }) => owner ?? weak.deref()).filter(Boolean)
  }

  /** Answers wait, and nobody will call `wake` for them. */
  collect() {
    if (this.#inline === INLINE_LIMIT) {
      if (!this.#isCollectPlanned) setImmediate(this.#collectLater)
      this.#isCollectPlanned = true
      return
    }
    this.#inline += 1
    this.#settleAll()
  }

  /** The same, where somebody sees to it that the event loop gets its turns. Whether there was anything. */
  collectNow() {
    const { batches } = this
    this.#wake()
    return this.batches > batches
  }

  #wake() {
    this.#inline = 0
    this.#settleAll()
  }

  #settleAll() {
    try {
      let count
      do {
        count = this.#native.drain(this.number, this.#buffer)
        if (count > 0) this.batches += 1
        const end = count * record.WORDS
        for (let at = 0; at < end; at += record.WORDS) this.#dispatch(at)
      } while (count === RECORDS)
    } catch (error) {
      complain('answers could not be read', error)
    }
    this.#runAfterBatch()
    this.#planIdleCheck()
  }

  #dispatch(at) {
    const route = this.#routes.get(this.#buffer[at + record.ENGINE])
    if (route === undefined) return // closed meanwhile, or collected
    const desk = route.owner ?? route.weak.deref()
    if (desk === undefined) return
    try {
      desk.take(this.#buffer, at)
    } catch (error) {
      complain('an answer could not be settled', error)
    }
  }

  #runAfterBatch() {
    if (this.#afterBatch.length === 0) return
    for (const task of this.#afterBatch.splice(0)) {
      try {
        task()
      } catch (error) {
        complain('a notification failed', error)
      }
    }
  }

  #watch(route) {
    route.busy = true
    this.#busy.add(route)
  }

  #planIdleCheck() {
    if (this.#idleHops > 0) return
    for (const route of this.#busy) {
      if (route.pending === 0) {
        this.#idleHops = IDLE_HOPS
        SETTLED.then(this.#idleCheck)
        return
      }
    }
  }

  #checkIdle() {
    this.#idleHops -= 1
    if (this.#idleHops > 0) {
      SETTLED.then(this.#idleCheck)
      return
    }
    let isAwaited = false
    for (const route of this.#busy) {
      if (route.pending > 0) {
        isAwaited ||= route.keepsAlive
        continue
      }
      this.#busy.delete(route)
      route.busy = false
      if (route.owner !== null && rests(route.owner)) route.owner = null
    }
    if (this.#held && !isAwaited) {
      this.#held = false
      this.#native.unhold(this.number)
    }
  }
}

/** @returns {{ native: object, mailbox: Mailbox }} of this environment; opened at the first call */
function openMailbox() {
  const native = loadNative()
  if (native[SHARED] === undefined) Object.defineProperty(native, SHARED, { value: new Mailbox(native) })
  return { native, mailbox: native[SHARED] }
}

module.exports = { Mailbox, openMailbox }
