'use strict'

// From messages on the channels to figures. What a metric is called, and in what it is kept, the recorder knows.

const { subscribe, unsubscribe } = require('node:diagnostics_channel')
const { KeyClasses } = require('./key-classes')
const { warn, textOf } = require('../report')

const MS_PER_S = 1000

/** Less than this part of the validity left when an extension has succeeded is late. */
const LATE_PART = 1 / 3

class Observation {
  #targets
  #classes
  #recorder
  #isOn = false
  #hasWarned = false
  #subscriptions

  /**
   * @param {Map<object, string>} targets
   * @param {((key: string | readonly string[]) => string) | undefined} keyClass
   */
  constructor(targets, keyClass, recorder) {
    this.#targets = targets
    this.#classes = keyClass === undefined ? null : new KeyClasses(keyClass)
    this.#recorder = recorder
    this.#subscriptions = {
      'quorlock:acquire': this.#guarded((labels, message) => this.#acquired(labels, message)),
      'quorlock:release': this.#guarded((labels, message) => this.#released(labels, message)),
      'quorlock:extend': this.#guarded((labels, message) => this.#extended(labels, message)),
      'quorlock:lost': this.#guarded((labels, message) => recorder.lost({ ...labels, reason: message.reason })),
    }
  }

  start() {
    for (const [name, subscriber] of Object.entries(this.#subscriptions)) subscribe(name, subscriber)
    this.#isOn = true
  }

  /** @returns {boolean} whether it was on */
  stop() {
    const wasOn = this.#isOn
    this.#isOn = false
    for (const [name, subscriber] of Object.entries(this.#subscriptions)) unsubscribe(name, subscriber)
    return wasOn
  }

  #acquired(labels, { outcome, waited, degraded }) {
    this.#recorder.acquired({ ...labels, outcome: degraded ? 'degraded' : outcome }, waited / MS_PER_S)
  }

  #released(labels, { outcome, held }) {
    if (held !== undefined) this.#recorder.released({ ...labels, outcome }, held / MS_PER_S)
  }

  #extended(labels, { outcome, left, ttl }) {
    this.#recorder.extended({ ...labels, outcome }, outcome === 'extended' && left < ttl * LATE_PART)
  }

  /** A subscriber that throws would end the process: metrics are not worth that. */
  #guarded(record) {
    return (message) => {
      const redlock = this.#targets.get(message.redlock)
      if (redlock === undefined) return
      try {
        record(this.#classes === null ? { redlock } : { redlock, key_class: this.#classes.of(message.key) }, message)
      } catch (error) {
        if (this.#hasWarned) return
        this.#hasWarned = true
        warn('METRICS', `a metric could not be recorded: ${textOf(error)}. This is shown once`, error)
      }
    }
  }
}

module.exports = { Observation, MS_PER_S }
