'use strict'

// Whether a call may ask the nodes, as a pure state machine: what happened and when comes in as arguments. Opens after
// so many failures in a row, and closes after so many probes in a row that a quorum has voted on: hysteresis, so that
// nodes that come and go do not take every other call with them.

const CLOSED = 'closed'
const OPEN = 'open'
const PROBING = 'probing'

const CALL = 'call'
const PROBE = 'probe'
const STOP = 'stop'

class Breaker {
  #limits
  #isOpen = false
  #failed = 0 // in a row, while closed
  #succeeded = 0 // probes in a row, while open
  #nextProbe = 0
  #isProbing = false

  /** @param {{ failures: number, probeInterval: number, successes: number }} limits */
  constructor(limits) {
    this.#limits = limits
  }

  get state() {
    if (!this.#isOpen) return CLOSED
    return this.#isProbing ? PROBING : OPEN
  }

  /**
   * What a call may do that comes at `now`. A probe has to be ended by `succeeded`, `failed` or `undecided`.
   *
   * @param {boolean} canVote whether enough nodes are up: while they are known to be down, a probe tells nothing
   * @returns {'call' | 'probe' | 'stop'}
   */
  ask(now, canVote) {
    if (!this.#isOpen) return CALL
    if (this.#isProbing || !canVote || now < this.#nextProbe) return STOP
    this.#isProbing = true
    return PROBE
  }

  /** A quorum has voted, whatever about. What began before the opening says nothing about the time since. */
  succeeded(now, isProbe) {
    if (!this.#isOpen) this.#failed = 0
    if (!isProbe || !this.#isOpen) return
    this.#isProbing = false
    this.#succeeded += 1
    this.#nextProbe = now
    if (this.#succeeded < this.#limits.successes) return
    this.#isOpen = false
    this.#failed = 0
  }

  /** @returns {boolean} whether it has opened by this */
  failed(now, isProbe) {
    if (this.#isOpen) {
      if (isProbe) this.#wait(now)
      return false
    }
    this.#failed += 1
    if (this.#failed < this.#limits.failures) return false
    this.#isOpen = true
    this.#wait(now)
    return true
  }

  /** The caller has gone, or the answer came from this process: the next call may probe. */
  undecided(isProbe) {
    if (isProbe) this.#isProbing = false
  }

  #wait(now) {
    this.#isProbing = false
    this.#succeeded = 0
    this.#nextProbe = now + this.#limits.probeInterval
  }
}

module.exports = { Breaker, CALL, PROBE, STOP }
