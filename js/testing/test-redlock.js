'use strict'

// A Redlock for its users' unit tests: the real engine, on nodes in memory that fail when they are told to, and by a
// clock that is moved by hand.

const { MAX_MS, plainObject, integer } = require('../argument')
const { LAB, BY_HAND } = require('../clock')
const { checkKey, checkPrefix, boundaryOf } = require('../key')
const { wrongType, wrongValue } = require('../invalid')
const { MAX_NODES } = require('../nodes')
const { Redlock } = require('../redlock')
const { Lab } = require('./lab')

const NODES = 3

class TestRedlock extends Redlock {
  #lab
  #prefix

  constructor(options = {}) {
    plainObject('options', options)
    const { nodes, with: other, ...rest } = options
    const lab = TestRedlock.#labFor(nodes, other)
    super({ ...rest, [LAB]: lab })
    this.#lab = lab
    this.#prefix = checkPrefix(rest.keyPrefix ?? '')
  }

  static #labFor(nodes, other) {
    if (other === undefined) {
      return new Lab(nodes === undefined ? NODES : integer('nodes', nodes, 1, MAX_NODES, { unit: '' }))
    }
    if (other === null || typeof other !== 'object' || !(#lab in other)) {
      throw wrongType('with', 'be a TestRedlock, whose nodes and clock are shared', other)
    }
    if (nodes !== undefined) throw wrongValue('nodes', 'be absent beside `with`, which brings its own', nodes)
    return other.#lab
  }

  advance(ms) {
    return this.#checked(
      () => integer('ms', ms, 0, MAX_MS),
      () => this.#lab.advance(ms),
    )
  }

  settled() {
    return this.#lab.settled()
  }

  loseLock(key) {
    return this.#checked(
      () => checkKey(key, boundaryOf(this.#prefix)),
      () => this.#lab.forget(key, this.#prefix),
    )
  }

  failNodes(count) {
    return this.#checked(
      () => integer('count', count, 0, this.#lab.count, { unit: '', maxName: 'all nodes' }),
      () => this.#lab.fail(count),
    )
  }

  restartNode(index) {
    return this.#checked(
      () => integer('index', index, 0, this.#lab.count - 1, { unit: '' }),
      () => this.#lab.restart(index),
    )
  }

  reset() {
    return this.#lab.reset()
  }

  get [BY_HAND]() {
    return true
  }

  /** Without a timeout it does not wait for sections that run: the test is over, and its time stands still. */
  async close(options = { timeout: 0 }) {
    await super.close(options)
    this.#lab.deliver() // others may have waited for what it held
  }

  /** Methods that return promises never throw. */
  #checked(check, act) {
    try {
      check()
      return act()
    } catch (error) {
      return Promise.reject(error)
    }
  }
}

module.exports = { TestRedlock }
