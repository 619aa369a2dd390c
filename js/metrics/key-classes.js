'use strict'

// Keys never become labels, since each value of a label is a series that is kept for ever. What the user maps them to
// may; how many there are is bounded here, whatever the function returns.

const { showType } = require('../invalid')
const { warn } = require('../report')

const MAX_CLASSES = 100
const MAX_CHARS = 64

/** The class of whatever the function gives no usable class for. */
const OTHER = 'other'

class KeyClasses {
  #classOf
  #known = new Set()
  #hasWarned = false

  constructor(classOf) {
    this.#classOf = classOf
  }

  /** @returns {string} never throws */
  of(key) {
    let given
    try {
      given = this.#classOf(key)
    } catch (error) {
      return this.#refuse(`keyClass threw ${error instanceof Error ? error.name : showType(error)}`)
    }
    if (typeof given?.then === 'function') given.then(undefined, () => {}) // nobody else will hear of its failure
    if (typeof given !== 'string' || given === '' || given.length > MAX_CHARS) {
      const what = typeof given === 'string' ? `${given.length} characters` : showType(given)
      return this.#refuse(`keyClass must return a string of 1 to ${MAX_CHARS} characters; got ${what}`)
    }
    if (this.#known.has(given)) return given
    if (this.#known.size === MAX_CLASSES) {
      return this.#refuse(`keyClass has returned ${MAX_CLASSES} different classes, and no more are counted apart`)
    }
    this.#known.add(given)
    return given
  }

  /** Nothing of the key is shown: what the user kept out of the metrics stays out of the logs. */
  #refuse(why) {
    if (!this.#hasWarned) {
      this.#hasWarned = true
      warn('KEY_CLASS', `${why}: counted as "${OTHER}". This is shown once`)
    }
    return OTHER
  }
}

module.exports = { KeyClasses, MAX_CLASSES, OTHER }
