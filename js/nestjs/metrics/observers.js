'use strict'

// Which application observes which instance, and where. A hot reload does not wait for the end of the old application before it
// begins the new one, and may load this package anew: so every copy in a process finds the others' observers here.

/** Another form of them needs another number. */
const OBSERVERS = Symbol.for('quorlock.nestjs.observers.1')

if (globalThis[OBSERVERS] === undefined) Object.defineProperty(globalThis, OBSERVERS, { value: new Set() })

/**
 * @typedef {object} Observer of one instance of one application, from its `onModuleInit` until it stops
 * @property {string} name
 * @property {object} redlock
 * @property {unknown[]} place the registry and prefix, or the meter
 * @property {boolean} isStarting until its `onApplicationBootstrap`
 * @property {boolean} isEnding from its `onModuleDestroy` on, with which `app.close()` begins
 * @property {() => void} giveWay
 */

/** @type {Set<Observer>} */
const observers = globalThis[OBSERVERS]

/**
 * Who is not, or no longer, of an application that runs makes way for one that begins. One that has not come as far as its start
 * by then is of an application whose start has failed: Nest tells nobody of that, and it would stand in the way of every
 * other try. Where it was only slow, its own start fails.
 */
function takePlaceOf(observer) {
  for (const other of [...observers]) {
    if (areInOnePlace(other, observer) && (other.isStarting || other.isEnding)) other.giveWay()
  }
}

/** Not of the same application, where it is a mistake that is told. */
function areInOnePlace(one, another) {
  if (one.redlock === another.redlock || one.name !== another.name) return false
  return one.place.every((part, i) => part === another.place[i])
}

module.exports = { observers, takePlaceOf }
