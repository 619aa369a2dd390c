'use strict'

// Handles that nobody released and nobody can reach any more. Registering each handle with the garbage collector would
// cost more than the rest of the call, so young ones are simply held; those that outlive a second or two are
// registered and let go. Only slots that were granted lately are looked at, never all that are held.

const { Lock, friend } = require('./lock')
const { warn } = require('./report')
const { shorten } = require('./invalid')

const PERIOD_MS = 1000
const BATCH = 4096 // handles registered in one go: about 3 ms
const NEXT_BATCH_MS = 20

/** Stands for an old handle among the desk's locks. It must not reach the handle. */
class Aged {
  constructor(desk, lock, slot) {
    this.desk = desk
    this.weak = new WeakRef(lock)
    this.slot = slot
    this.key = lock.key
  }
}

const registry = new FinalizationRegistry((aged) => {
  if (aged.desk.locks[aged.slot] === aged) {
    reportOnce(aged.key)
    aged.desk.abandon(aged)
  }
})

let reported = false

function reportOnce(key) {
  if (reported) return
  reported = true
  const name = shorten(JSON.stringify(key))
  const advice = 'use withLock(), or call release() in a finally block. This is shown once per process'
  warn('UNRELEASED', `a lock of ${name} was garbage-collected without release(). It is released now; ${advice}`)
}

class Orphans {
  tick = 0
  #desk
  #young = [] // slots granted lately
  #isYoung = [] // by slot: whether it stands in #young, so that a slot used a thousand times stands there once
  #timer = null

  constructor(desk) {
    this.#desk = desk
  }

  watch(slot) {
    if (this.#isYoung[slot] === true) return
    this.#isYoung[slot] = true
    this.#young.push(slot)
    if (this.#timer === null) this.#sweepIn(PERIOD_MS)
  }

  /** The user came back to an old handle, which the desk holds again. */
  rejuvenate(aged) {
    registry.unregister(aged)
    this.watch(aged.slot)
  }

  #sweepIn(ms) {
    this.#timer = setTimeout(() => this.#sweep(ms === PERIOD_MS), ms)
    this.#timer.unref()
  }

  #sweep(aged) {
    if (aged) this.tick += 1
    const { locks } = this.#desk
    const slots = this.#young
    const stillYoung = []
    let registered = 0
    for (const slot of slots) {
      const lock = locks[slot]
      const isYoung = lock instanceof Lock
      const old = isYoung && friend.tick(lock) + 1 < this.tick && !friend.isAwaited(lock)
      if (old && registered < BATCH) {
        registered += 1
        const entry = new Aged(this.#desk, lock, slot)
        registry.register(lock, entry, entry)
        locks[slot] = entry
        this.#isYoung[slot] = false
      } else if (isYoung) {
        stillYoung.push(slot)
      } else {
        this.#isYoung[slot] = false
      }
    }
    this.#young = stillYoung
    this.#timer = null
    if (stillYoung.length > 0) this.#sweepIn(registered === BATCH ? NEXT_BATCH_MS : PERIOD_MS)
  }
}

module.exports = { Orphans, Aged }
