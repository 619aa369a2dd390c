'use strict'

// @WithLock: the method is replaced, on the prototype, by one that runs it in withLock() of the application that its
// object belongs to. What others have noted on the method, and look for later, is on both.

const { onlyKnown, plainObject, integer, MIN_TTL } = require('../argument')
const { checkCallOptions, SECTION_NAMES } = require('../call-options')
const { wrongType, wrongValue } = require('../invalid')
const { checkKeys } = require('../key')
const { MAX_TTL } = require('../options')
const { homeOf } = require('./applications')
const { isLeftOut } = require('./left-out')
const { checkName } = require('./module-options')
const { DEFAULT_NAME } = require('./tokens')

/** A signal belongs to one call, and a decorator to all. */
const CALL_NAMES = SECTION_NAMES.filter((name) => name !== 'signal')

const NAMES = ['ttl', 'name', 'whenContended', ...CALL_NAMES]

/** What the instance puts before keys, and how long it lets a lock be, is known when the method is called. */
const NO_PREFIX = null

const WHEN_CONTENDED = ['throw', 'skip']

function WithLock(key, options) {
  const plan = parse(key, options)
  return (target, property, descriptor) => {
    const method = descriptor?.value
    if (typeof property === 'object') {
      throw new TypeError('@WithLock() needs experimentalDecorators, as Nest does')
    }
    const where = `${typeof target === 'function' ? target.name : target?.constructor?.name}.${String(property)}`
    if (typeof method !== 'function') throw new TypeError(`@WithLock() on ${where}: it must stand on a method`)
    if (typeof target === 'function') {
      throw new TypeError(`@WithLock() on ${where}: a static method belongs to no application`)
    }
    descriptor.value = dressed(method, locking(method, where, plan))
    return descriptor
  }
}

function parse(key, options) {
  const isText = typeof key === 'string' || (Array.isArray(key) && key.every((one) => typeof one === 'string'))
  if (!isText && typeof key !== 'function') {
    throw wrongType('key of @WithLock()', 'be a key, an array of keys, or a function that returns one of these', key)
  }
  if (isText) checkKeys(key, NO_PREFIX)
  plainObject('options of @WithLock()', options)
  onlyKnown('options of @WithLock()', options, NAMES)
  const { ttl, name = DEFAULT_NAME, whenContended = 'throw', ...call } = options
  integer('ttl', ttl, MIN_TTL, MAX_TTL)
  checkCallOptions(call, CALL_NAMES)
  checkName(name)
  if (!WHEN_CONTENDED.includes(whenContended)) {
    throw wrongValue('whenContended', "be 'throw' or 'skip'", whenContended)
  }
  return { keyOf: typeof key === 'function' ? key : () => key, ttl, name, isSkipping: whenContended === 'skip', call }
}

function locking(method, where, { keyOf, ttl, name, isSkipping, call }) {
  const wrapper = {
    async method(...args) {
      const redlock = redlockOf(this, where, name)
      let isRunning = false
      const run = () => {
        isRunning = true
        return method.apply(this, args)
      }
      try {
        return await redlock.withLock(keyOf.apply(this, args), ttl, run, call)
      } catch (error) {
        if (isRunning) throw error // what the method throws is not ours, be it of another lock
        if (isLeftOut(error, { redlock, handler: wrapper, where, isSkipping })) return undefined
        throw error
      }
    },
  }.method
  return wrapper
}

function redlockOf(object, where, name) {
  const home = homeOf(object)
  if (home === undefined || home === 'several') throw new Error(`@WithLock() on ${where}: ${WHY[home ?? 'none']}`)
  const redlock = home.redlocks.get(name)
  if (redlock !== undefined) return redlock
  const others = [...home.redlocks.keys()].map((one) => JSON.stringify(one)).join(', ')
  throw new Error(
    `@WithLock() on ${where}: no RedlockModule has the name ${JSON.stringify(name)}; there ${
      home.redlocks.size === 1 ? 'is' : 'are'
    } ${others}`,
  )
}

const WHY = {
  none:
    'its object belongs to no running application that imports RedlockModule. ' +
    'Import RedlockModule.forRoot() in it. Until it has started (a testing module, by init()) only those objects are ' +
    'known that live as long as it does',
  several:
    'several applications of this process import RedlockModule, and nothing tells which of them its object belongs to: ' +
    'Nest keeps no list of those that it makes for one request, or by moduleRef.create(), nor of others. ' +
    'Inject RedlockService and call withLock() there, or import RedlockModule.forRoot() in its application. ' +
    'One whose start failed counts as starting for a minute: close() it',
}

/** Everything that was noted on the method so far: its name and length, properties, and what Reflect keeps. */
function dressed(method, wrapper) {
  for (const property of Reflect.ownKeys(method)) {
    if (property === 'prototype') continue
    const described = Object.getOwnPropertyDescriptor(method, property)
    const ours = Object.getOwnPropertyDescriptor(wrapper, property)
    if (ours === undefined || ours.configurable) Object.defineProperty(wrapper, property, described)
  }
  for (const noted of Reflect.getOwnMetadataKeys?.(method) ?? []) {
    Reflect.defineMetadata(noted, Reflect.getOwnMetadata(noted, method), wrapper)
  }
  return wrapper
}

module.exports = { WithLock }
