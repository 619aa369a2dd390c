'use strict'

// The calls that native code does not know: those that ask the fallback, and those that wait for what it has given. Each
// is ended at once by its signal, and by close() or reset().

const { Call, ACQUIRE, listen, unlisten, reasonOf } = require('../call')

class Waiting {
  #clock
  #calls = new Map() // from each to what ends it

  constructor(clock) {
    this.#clock = clock
  }

  get count() {
    return this.#calls.size
  }

  /**
   * Runs `work(signal, leave)`. Who ends the call does not wait for that: it is told by the signal. From `leave()` on
   * nothing ends the call but `work`.
   *
   * @param {{ after: number, error: () => Error } | null} limit after which the call is ended
   */
  run({ key, ttl, signal }, work, limit = null) {
    if (signal?.aborted) return Promise.reject(reasonOf(signal))
    return new Promise((resolve, reject) => {
      const controller = new AbortController()
      const call = new Call(ACQUIRE, key, ttl, resolve, reject)
      const notLate = limit === null ? null : this.#clock.after(limit.after, () => end(limit.error()))
      const leave = () => {
        notLate?.()
        unlisten(call)
        this.#calls.delete(call)
      }
      const end = (reason) => {
        leave()
        reject(reason)
        controller.abort(reason)
      }
      if (signal !== null) listen(signal, call, () => end(reasonOf(signal)))
      this.#calls.set(call, end)
      work(controller.signal, leave).then(resolve, reject).finally(leave)
    })
  }

  /** @param {(what: string, key: string | readonly string[]) => Error} errorFor */
  rejectAll(errorFor) {
    for (const [call, end] of [...this.#calls]) end(errorFor('lock', call.key))
  }
}

module.exports = { Waiting }
