'use strict'

// Addresses, options and environments as nobody would write them, from one number each, so that a failing one can be had again.

const { randomFrom } = require('../safety/random')

const SECRET = 's3cr3t'
const SCHEMES = [
  'redis://',
  'rediss://',
  'valkey://',
  'unix://',
  'redis+unix://',
  'http://',
  'memory:',
  '',
  'redis:',
  '://',
]
const PIECES = [
  'localhost',
  '[::1]',
  '::1',
  '127.0.0.1',
  ':6379',
  ':0',
  ':65536',
  ':-1',
  '/0',
  '/65536',
  '/x',
  '?db=1',
  '?db=1&db=2',
  '?db=%31',
  '?x=1',
  '#x',
  '@',
  '%',
  '%zz',
  '%00',
  '%2F',
  ' ',
  '\n',
  '\0',
  '\\',
  '\ud800',
  '名前',
  '..',
  ',',
  'a'.repeat(300),
]
/** Where a password may stand in an address, also in one that is wrong. */
const WITH_SECRETS = [...PIECES, `user:${SECRET}@`, `:${SECRET}@`]
const VALUES = [
  undefined,
  null,
  true,
  false,
  0,
  -0,
  1,
  -1,
  1.5,
  3,
  6379,
  65_536,
  2 ** 31,
  2 ** 53,
  NaN,
  Infinity,
  10n,
  '',
  '1',
  'strict',
  'memory',
  'observed',
  [],
  {},
  () => SECRET,
  Symbol('x'),
  new Date(0),
  Object.create(null),
]

class Wild {
  #random

  constructor(seed) {
    this.#random = randomFrom(seed)
  }

  below(end) {
    return Math.floor(this.#random() * end)
  }

  percent(percent) {
    return this.below(100) < percent
  }

  pick(list) {
    return list[this.below(list.length)]
  }

  list(most, make) {
    return Array.from({ length: this.below(most + 1) }, make)
  }

  address(pieces = WITH_SECRETS) {
    const scheme = this.pick(SCHEMES)
    return scheme + this.list(5, () => this.pick(scheme === 'memory:' ? PIECES : pieces)).join('')
  }

  value() {
    if (this.percent(20)) return this.address(PIECES)
    if (this.percent(10)) return this.list(3, () => this.value())
    return this.pick(VALUES)
  }

  /** An object of some of these names, and now and then of one that nobody knows. */
  object(names, make = () => this.value()) {
    const made = {}
    for (const name of names) if (this.percent(30)) made[name] = make(name)
    if (this.percent(5)) made[this.pick(['__proto__x', 'toString', 'Nodes', ''])] = this.value()
    return made
  }

  node() {
    if (this.percent(50)) return this.address()
    if (this.percent(10)) return this.value()
    const tls = () => (this.percent(50) ? this.value() : this.object(['ca', 'cert', 'key', 'servername']))
    const names = ['url', 'host', 'port', 'path', 'username', 'password', 'db', 'tls', 'name']
    return this.object(names, (name) => {
      if (name === 'url') return this.address()
      if (name === 'tls') return tls()
      if (name === 'password') return this.percent(70) ? SECRET : this.value()
      return this.percent(50) ? this.pick(PIECES) : this.value()
    })
  }

  nodes() {
    if (this.percent(30)) return this.node()
    return this.list(this.percent(5) ? 17 : 4, () => this.node())
  }

  environment() {
    const made = {}
    if (this.percent(50)) made.QUORLOCK_NODES = this.list(3, () => this.address()).join(this.pick([',', ', ', ',,']))
    for (let n = 0; n < 4; n++) {
      if (this.percent(50)) made[`REDIS_NODE${n}_HOST`] = this.list(2, () => this.pick(PIECES)).join('')
      if (this.percent(50)) made[`REDIS_NODE${n}_PORT`] = this.percent(50) ? '6379' : this.pick(PIECES)
    }
    if (this.percent(30)) made.REDIS_PASSWORD = SECRET
    return made
  }
}

module.exports = { Wild, SECRET }
