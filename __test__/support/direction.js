'use strict'

// One direction of a TCP proxy, and the faults that it can have: see ./proxy.js.

const { sleep } = require('./until')

/** One direction of all connections: what happens to a chunk between its arrival and its delivery. */
class Direction {
  #mode = { kind: 'pass' }
  #held = []
  #slices = []
  #last = Promise.resolve()
  #pumping = false

  get mode() {
    return this.#mode.kind
  }

  /** Everything is delivered at once, what was held first. */
  pass() {
    this.#mode = { kind: 'pass' }
    for (const [deliver, chunk] of this.#held.splice(0)) deliver(chunk)
  }

  hold() {
    this.#mode = { kind: 'hold' }
  }

  swallow() {
    this.#mode = { kind: 'swallow' }
  }

  delay(ms) {
    this.#mode = { kind: 'delay', ms }
  }

  jitter(least, most) {
    this.#mode = { kind: 'jitter', least, most }
  }

  limit(perSecond) {
    this.#mode = { kind: 'limit', perSecond }
  }

  slice(bytes) {
    this.#mode = { kind: 'slice', bytes }
  }

  corrupt(replace) {
    this.#mode = { kind: 'corrupt', replace }
  }

  /** One slice per turn of the event loop, so that the kernel does not put them together again. */
  #pump() {
    if (this.#pumping) return
    this.#pumping = true
    const next = () => {
      const slice = this.#slices.shift()
      if (!slice) {
        this.#pumping = false
        return
      }
      slice[0](slice[1])
      setImmediate(next)
    }
    next()
  }

  /** `lost` is called when the chunk will never be delivered. */
  take(chunk, deliver, lost) {
    switch (this.#mode.kind) {
      case 'pass':
        return deliver(chunk)
      case 'hold':
        return this.#held.push([deliver, chunk])
      case 'swallow':
        lost()
        return undefined
      case 'delay':
        return setTimeout(deliver, this.#mode.ms, chunk)
      case 'jitter': {
        const { least, most } = this.#mode
        const pause = sleep(least + Math.random() * (most - least))
        // Behind what came before it, however long that takes.
        this.#last = Promise.all([this.#last, pause]).then(() => deliver(chunk))
        return undefined
      }
      case 'limit': {
        const ms = (chunk.length / this.#mode.perSecond) * 1000
        this.#last = this.#last.then(() => sleep(ms)).then(() => deliver(chunk))
        return undefined
      }
      case 'slice': {
        const { bytes } = this.#mode
        for (let at = 0; at < chunk.length; at += bytes) this.#slices.push([deliver, chunk.subarray(at, at + bytes)])
        return this.#pump()
      }
      case 'corrupt': {
        const replaced = this.#mode.replace(chunk)
        return replaced == null ? undefined : deliver(Buffer.from(replaced))
      }
    }
  }
}

module.exports = { Direction }
