'use strict'

// The time that an instance lives by: that of the process, unless a test moves it by hand.

const PROCESS = Object.freeze({
  now: () => performance.now(),

  /**
   * Calls `fn` once after `ms`, unless the function that is returned is called before. With `unref` the process does not
   * stay alive for that.
   */
  after(ms, fn, { unref = false } = {}) {
    const timer = setTimeout(fn, ms)
    if (unref) timer.unref()
    return () => clearTimeout(timer)
  },
})

/** Among an instance's options: the lab in which it lives (js/testing/lab.js). Not to be had from outside. */
const LAB = Symbol('lab')

/** Of an instance whose time a test moves by hand: whoever waits for it to pass may wait for ever. */
const BY_HAND = Symbol.for('quorlock.timeByHand') // which every copy of this package understands

module.exports = { PROCESS, LAB, BY_HAND }
