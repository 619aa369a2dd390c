'use strict'

// The world in which instances of TestRedlock live: its nodes, and its time, which stands still until somebody calls.
// Native code has the nodes and the clock; here are the order of what is done to them, and the patience until everything
// that follows has been done.

const { setImmediate } = require('node:timers') // test runners replace the global one
const { openMailbox } = require('../mailbox')
const { rejectWaiting, takeAwayLocks } = require('../closing')
const failure = require('../failure')

/** So many microtasks without an answer, and everybody waits. Between an answer and the next call are seldom ten. */
const HOPS = 100

/** Code that never waits for anything but locks that are free would be waited for without end. */
const ROUNDS_MAX = 2000

const turn = () => new Promise((resolve) => setImmediate(resolve))

let labs = 0

class Lab {
  #native
  #mailbox
  #count
  #timers = []
  #beside = new Map()
  #last = Promise.resolve() // what is done to it is done one after the other

  constructor(count) {
    const { native, mailbox } = openMailbox()
    this.#native = new native.Lab(count)
    this.#mailbox = mailbox
    this.#count = count
    labs += 1
    const names = Array.from({ length: count }, (_, i) => `node-${i}`)
    /** As parseNodes() makes it. */
    this.nodes = {
      natives: names.map((memory) => ({ memory })),
      names,
      passwords: names.map(() => null),
      addresses: names.map((name) => `lab-${labs}/${name}`),
    }
  }

  get count() {
    return this.#count
  }

  startEngine(config, mailbox) {
    return this.#native.engine(config, mailbox.number)
  }

  /** Where the fallback 'local' of this name has its locks: a node that nobody fails, and the time is the same. */
  beside(name) {
    if (!this.#beside.has(name)) this.#beside.set(name, new Lab(1))
    return this.#beside.get(name)
  }

  // -- the clock of its instances, as in js/clock.js

  now() {
    return this.#native.now()
  }

  after(ms, fn) {
    const timer = { at: this.now() + ms, fn }
    this.#timers.push(timer)
    if (ms <= 0) Promise.resolve().then(() => this.#ring(this.now()))
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  // -- what is done to it

  settled() {
    return this.#inTurn(() => {})
  }

  advance(ms) {
    return this.#inTurn(() => this.#advance(ms))
  }

  /** Hands over what has happened, at once. */
  deliver() {
    this.#mailbox.collectNow()
  }

  async forget(key, prefix) {
    let fallbacks
    await this.#inTurn(() => {
      const isForgotten = this.#native.forget(prefix + key)
      const alike = this.#desks().filter((desk) => desk.settings.native.keyPrefix === prefix)
      fallbacks = alike.map((desk) => desk.layers?.lose(key)).filter(Boolean)
      if (!isForgotten && fallbacks.length === 0) throw this.#notHeld(key)
    })
    await Promise.all(fallbacks)
  }

  fail(nodes) {
    return this.#inTurn(() => this.#native.fail(nodes))
  }

  restart(node) {
    return this.#inTurn(() => this.#native.restart(node))
  }

  async reset() {
    let fallbacks
    await this.#inTurn(() => {
      this.#native.fail(0)
      const desks = this.#desks()
      for (const desk of desks) {
        rejectWaiting(desk, failure.reset)
        takeAwayLocks(desk)
      }
      fallbacks = Promise.all(desks.map((desk) => desk.layers?.reset()))
    })
    await fallbacks // which may live elsewhere, and in their own time
  }

  #notHeld(key) {
    const held = this.#desks().flatMap(({ engine, layers }) => [
      ...engine.locks().map((lock) => lock.key),
      ...(layers?.keys() ?? []),
    ])
    const shown = [...new Set(held)].map((one) => JSON.stringify(one)).join(', ')
    const known = held.length === 0 ? 'nothing is held' : `held are ${shown}`
    return new Error(`loseLock: nobody holds ${JSON.stringify(key)}; ${known}`)
  }

  #desks() {
    return this.#mailbox.desks().filter((desk) => desk.settings.lab === this)
  }

  /**
   * Everything before it has settled, and so has everything that follows from it. The event loop gets its turn before,
   * and none after: a promise that is rejected by it is not reported as unhandled when the test handles it next.
   */
  #inTurn(act) {
    const done = this.#last.then(async () => {
      await turn()
      await this.#settle()
      await act()
      await this.#settle()
    })
    this.#last = done.catch(() => {})
    return done
  }

  async #settle() {
    for (let rounds = 0; rounds < ROUNDS_MAX; rounds += 1) {
      const { batches } = this.#mailbox
      for (let hop = 0; hop < HOPS; hop += 1) await undefined
      this.#mailbox.collectNow()
      if (this.#mailbox.batches === batches) return
    }
    throw new Error('the code under test goes on making calls, without end, and waits for no time to pass')
  }

  /** From one moment at which something is due to the next, so that what follows happens when it would. */
  async #advance(ms) {
    const end = this.now() + ms
    for (;;) {
      const next = this.#timers.reduce((first, { at }) => Math.min(first, at), end)
      const before = this.now()
      const isMoreDue = this.#native.step(next)
      await this.#advanceBeside(this.now() - before)
      if (!isMoreDue) this.#ring(next)
      await this.#settle()
      if (!isMoreDue && next === end && this.#timers.every(({ at }) => at > end)) return
    }
  }

  async #advanceBeside(ms) {
    for (const lab of this.#beside.values()) {
      const end = lab.now() + ms
      while (lab.#native.step(end)) await this.#settle()
    }
  }

  #ring(now) {
    const due = this.#timers.filter(({ at }) => at <= now)
    this.#timers = this.#timers.filter(({ at }) => at > now)
    for (const { fn } of due) fn()
  }
}

module.exports = { Lab }
