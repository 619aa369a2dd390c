'use strict'

// The fallback at work: asks it for locks, gives its handles our face, and knows which of them are held, so that this
// process never holds a key on the nodes and by the fallback at once.

const { MAX_MS } = require('../argument')
const { reasonOf } = require('../call')
const { PROCESS } = require('../clock')
const { channels, noteGrant, tellLost, watchRelease } = require('../diagnostics')
const failure = require('../failure')
const { IS_RELEASED } = require('../handle')
const { overlap, runHolding, enterSection, leaveSection } = require('../reentrancy')
const { takeAdapted } = require('./adapted-lock')
const { explained } = require('./away')
const { DegradedLock, UnfencedLock, friend } = require('./degraded-lock')
const { DegradedSection } = require('./degraded-section')
const { checkHandle, giveBack } = require('./inner')
const { heldOnNodes, nextTick, untilFree } = require('./overlap')

const GRACE_MS = 1000

/** A provider of the user may take so much longer than a call may wait; who asks without waiting has so long in all. */
const ANSWER_MS = 2000

/** The function of a section has not been called: the nodes' lock of its key is still valid here. */
const TAKEN = Symbol('taken')

class SecondLayer {
  #desk
  #Handle
  #held = new Map() // from a WeakRef of each handle to its key
  #running = new Set() // the handles of running sections
  #waiting
  #onLess = () => {} // called whenever less is held than before: closing waits for it

  /** @param {import('./waiting').Waiting} waiting */
  constructor(desk, waiting) {
    this.#desk = desk
    this.#waiting = waiting
    this.#Handle = desk.settings.native.fencing ? UnfencedLock : DegradedLock
  }

  get held() {
    return this.#handles().filter((lock) => lock.isHeld).length
  }

  /** Whether this process holds one of these keys by the fallback. */
  holds(keys) {
    if (this.#held.size === 0) return false
    for (const [ref, key] of this.#held) {
      const lock = ref.deref()
      if (lock === undefined) this.#held.delete(ref)
      else if (overlap(key, keys) && (lock.isHeld || this.#running.has(lock))) return true
    }
    return false
  }

  /** @param {Error} cause why the nodes were not asked, or what they answered */
  acquire(provider, request, wait, isTry, cause) {
    return this.#call(request, isTry ? 0 : wait, cause, async (signal) => {
      const deadline = this.#desk.clock.now() + wait
      for (;;) {
        if (!(await this.#untilNodesLetGo(request, isTry ? 0 : deadline, signal))) {
          if (isTry) return null
          throw failure.heldByNodes(request.key, heldOnNodes(this.#desk, request.key)?.remaining)
        }
        const left = isTry ? null : this.#left(deadline)
        const inner = await ask(provider, request, left, signal, cause)
        if (inner === null && isTry) return null
        if (inner === null) throw failure.contended(request.key, { attempts: 1, votes: [] }, 0)
        const isLate = inner?.isHeld === false
        const lock = await this.#accept(inner, request, signal)
        if (lock !== null) return lock
        if (isLate && (isTry || this.#left(deadline) === 0)) throw failure.fallbackLate(request.key, cause)
        if (isLate) await nextTick(this.#desk.clock) // the provider may answer without any pause
      }
    })
  }

  section(provider, request, wait, fn, whenLost, cause) {
    const since = this.#desk.clock.now()
    let section = null
    return this.#call(request, wait, cause, async (signal, begun) => {
      const deadline = since + wait
      const start = (inner) => {
        checkHandle(inner)
        if (signal.aborted) throw reasonOf(signal)
        if (heldOnNodes(this.#desk, request.key) !== undefined) return TAKEN
        const lock = this.#hold(inner, request)
        begun() // from here on neither the user's signal nor close() ends the call
        section = new DegradedSection(lock, () => this.#run(lock, request.key, fn))
        return section.seen
      }
      for (;;) {
        if (!(await this.#untilNodesLetGo(request, deadline, signal))) {
          throw failure.heldByNodes(request.key, heldOnNodes(this.#desk, request.key)?.remaining)
        }
        const options = { wait: this.#left(deadline), renew: request.renew, signal, whenLost }
        let result
        try {
          result = await provider.withLock(request.key, request.ttl, start, options)
        } catch (error) {
          if (section === null) throw explained(error, request.key, cause)
          if (!section.isInterrupted) throw error // what the function throws is not ours
        } finally {
          section?.over()
        }
        if (section?.isInterrupted) return section.refusal()
        if (whenLost === 'reject') section?.mustNotBeLost(result)
        if (result !== TAKEN) return result
      }
    })
  }

  /** Whoever holds has `timeout` to give back, then it is taken from him. */
  async close(timeout) {
    const { clock } = this.#desk
    const deadline = clock.now() + timeout
    while (this.#owed().length > 0 && clock.now() < deadline) {
      const isLess = new Promise((resolve) => {
        this.#onLess = resolve
      })
      await Promise.race([isLess, nextTick(clock)]) // nobody tells of handles that were dropped
    }
    await this.takeAway()
  }

  /** Takes all locks from those who have them. */
  takeAway() {
    return takeFrom(this.#handles(), 'closed')
  }

  /** The same with this key alone, which a test says is gone. */
  lose(key) {
    const lost = this.#handles().filter((lock) => lock.isHeld && overlap(lock.key, key))
    return lost.length === 0 ? null : takeFrom(lost, 'gone')
  }

  keys() {
    return this.#handles().flatMap((lock) => (lock.isHeld ? lock.key : []))
  }

  #owed() {
    return this.#handles().filter((lock) => lock.isHeld || (this.#running.has(lock) && !lock[IS_RELEASED]))
  }

  /** Of what is held, and of sections that run. */
  #handles() {
    const held = [...this.#held.keys()].map((ref) => ref.deref()).filter(Boolean)
    return [...new Set([...held, ...this.#running])]
  }

  #untilNodesLetGo(request, deadline, signal) {
    return untilFree(() => heldOnNodes(this.#desk, request.key) !== undefined, deadline, signal, this.#desk.clock)
  }

  #left(deadline) {
    return Math.max(0, Math.floor(deadline - this.#desk.clock.now()))
  }

  /**
   * Null where it was given back: the nodes' lock of its key is still valid here, or its own time was over when it came.
   */
  async #accept(inner, request, signal) {
    try {
      checkHandle(inner)
      const isWanted = !signal.aborted && heldOnNodes(this.#desk, request.key) === undefined
      if (isWanted && inner.isHeld) return this.#hold(inner, request)
    } catch (error) {
      await giveBack(inner)
      throw error
    }
    await giveBack(inner)
    if (signal.aborted) throw reasonOf(signal)
    return null
  }

  /** @param {object} inner what checkHandle() has found to be a lock */
  #hold(inner, { key, ttl, renew }) {
    let ref = null
    let isOver = false // it may have been lost on the way here
    const { redlock, emitter, clock, settings } = this.#desk
    const forget = () => {
      isOver = true
      this.#held.delete(ref)
      this.#onLess()
    }
    const lock = new this.#Handle(redlock, inner, key, {
      released(lock, answer) {
        forget()
        if (channels.release.hasSubscribers) watchRelease(redlock, lock, answer)
      },
      lost(lock, { reason }) {
        forget()
        if (channels.lost.hasSubscribers) tellLost(redlock, lock, reason)
        emitter.emit('lost', { key, id: lock.id, reason })
      },
    })
    if (channels.release.hasSubscribers) noteGrant(lock)
    if (isOver) return lock
    if (renew) friend.limit(lock, clock, settings.native.maxHold, ttl)
    ref = new WeakRef(lock)
    this.#held.set(ref, key)
    return lock
  }

  async #run(lock, key, fn) {
    this.#running.add(lock)
    enterSection()
    try {
      return await runHolding(this.#desk.settings.scope, key, lock, fn)
    } finally {
      leaveSection()
      this.#running.delete(lock)
      friend.leave(lock)
      this.#onLess()
    }
  }

  /**
   * Runs `ask(signal, begun)`, and rejects when the wait is over and no answer there, whatever the fallback makes of its
   * signal and of `wait`. What it grants after that is given back by `ask`.
   */
  #call(request, wait, cause, ask) {
    const after = Math.min(wait + ANSWER_MS, MAX_MS)
    return this.#waiting.run(request, ask, { after, error: () => failure.fallbackSilent(request.key, cause, after) })
  }
}

/** Tells the holders, and waits a while for the locks to be given back. */
async function takeFrom(locks, reason) {
  let isOver = false
  const answered = Promise.all(locks.map((lock) => friend.takeAway(lock, reason))).then(() => {
    isOver = true
  })
  const end = performance.now() + GRACE_MS
  while (!isOver && performance.now() < end) await Promise.race([answered, nextTick(PROCESS)])
}

async function ask(provider, request, wait, signal, cause) {
  const { key, ttl, renew } = request
  try {
    if (typeof provider.acquire !== 'function' || typeof provider.tryAcquire !== 'function') {
      return await takeAdapted(provider, request, wait ?? 0, signal)
    }
    if (wait === null) return await provider.tryAcquire(key, ttl, { renew, signal })
    return await provider.acquire(key, ttl, { wait, renew, signal })
  } catch (error) {
    throw explained(error, key, cause)
  }
}

module.exports = { SecondLayer }
