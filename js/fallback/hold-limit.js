'use strict'

// maxHold for a lock that a fallback renews. How long a provider renews is its own affair, and it cannot be told to stop;
// so here the end is kept that the lock would have on the nodes: what is left of it at maxHold, and not more.

class HoldLimit {
  #clock
  #end
  #until = Infinity
  #stop

  /**
   * @param {() => number} remaining how long the lock lasts without another renewal; asked when maxHold has come
   * @param {() => void} end called once, unless stop() is called before
   */
  constructor(clock, maxHold, remaining, end) {
    this.#clock = clock
    this.#end = end
    this.#wait(maxHold, () => this.#endIn(remaining()))
  }

  /** How long the lock lasts at most, as far as is known. */
  get left() {
    return this.#until - this.#clock.now()
  }

  /** By its holder, which is no renewal: he may go on as long as he likes. */
  extended(ttl) {
    if (this.#until === Infinity) return
    this.#stop()
    this.#endIn(ttl)
  }

  stop() {
    this.#stop()
  }

  #endIn(ms) {
    this.#until = this.#clock.now() + ms
    this.#wait(ms, this.#end)
  }

  /** Nobody's process is kept alive for it. */
  #wait(ms, then) {
    this.#stop = this.#clock.after(ms, then, { unref: true })
  }
}

module.exports = { HoldLimit }
