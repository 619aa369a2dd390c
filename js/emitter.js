'use strict'

// The events of a Redlock. Listeners are called one by one and kept apart: what one of them throws, or rejects with,
// is reported as a process warning. There is no `error` event, since an unheard one would end the process.

const { EventEmitter } = require('node:events')
const { wrongValue } = require('./invalid')
const { callback } = require('./argument')
const { warn, textOf } = require('./report')

const NAMES = ['lost', 'nodeDown', 'nodeUp', 'degraded']

/** A way to listen that does not keep the instance, for who has it anyway. Not to be had from outside. */
const WATCH = Symbol('watch')

class Emitter {
  #listeners = new EventEmitter()
  #watchers = 0

  on(name, listener) {
    this.#listeners.on(known(name), callback('listener', listener))
  }

  once(name, listener) {
    this.#listeners.once(known(name), callback('listener', listener))
  }

  off(name, listener) {
    this.#listeners.off(known(name), callback('listener', listener))
  }

  /** For as long as there is somebody to be told: there is no end to it but `clear()`. */
  watch(name, listener) {
    this.on(name, listener)
    this.#watchers += 1
  }

  clear() {
    this.#listeners.removeAllListeners()
    this.#watchers = 0
  }

  /** By those who come for the events alone. */
  get isListened() {
    const names = this.#listeners.eventNames()
    if (this.#watchers === 0) return names.length > 0
    return names.reduce((sum, name) => sum + this.#listeners.listenerCount(name), 0) > this.#watchers
  }

  emit(name, payload) {
    for (const listener of this.#listeners.rawListeners(name)) {
      try {
        const answer = listener.call(this.#listeners, payload)
        if (typeof answer?.then === 'function') answer.then(undefined, (error) => failed(name, error))
      } catch (error) {
        failed(name, error)
      }
    }
  }
}

function known(name) {
  if (!NAMES.includes(name)) throw wrongValue('event', `be one of ${NAMES.join(', ')}`, name)
  return name
}

const failed = (name, error) => warn('LISTENER', `a listener of "${name}" failed: ${textOf(error)}`, error)

module.exports = { Emitter, WATCH }
