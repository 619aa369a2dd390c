'use strict'

// The events of a Redlock. Listeners are called one by one and kept apart: what one of them throws, or rejects with,
// is reported as a process warning. There is no `error` event, since an unheard one would end the process.

const { EventEmitter } = require('node:events')
const { wrongValue } = require('./invalid')
const { callback } = require('./argument')
const { warn, textOf } = require('./report')

const NAMES = ['lost', 'nodeDown', 'nodeUp', 'degraded']

class Emitter {
  #listeners = new EventEmitter()

  on(name, listener) {
    this.#listeners.on(known(name), callback('listener', listener))
  }

  once(name, listener) {
    this.#listeners.once(known(name), callback('listener', listener))
  }

  off(name, listener) {
    this.#listeners.off(known(name), callback('listener', listener))
  }

  clear() {
    this.#listeners.removeAllListeners()
  }

  get isListened() {
    return this.#listeners.eventNames().length > 0
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

module.exports = { Emitter }
