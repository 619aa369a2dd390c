'use strict'

// Which application an object belongs to, and which Redlocks that application has. A decorator runs before there is any
// application, and several may live in one process: so the question is asked when a method is called, by the object it
// is called on. An application is known by Nest's `ModulesContainer`, of which each has one.

/** ModulesContainer -> Application. */
const applications = new WeakMap()

/** Those that are open, from the first Redlock until the last one is closed: weak, since some never come to be. */
const open = new Set()

/** Objects whose application was found. Stays true when that application is closed. */
const homes = new WeakMap()

class Application {
  redlocks = new Map()
  isStarted = false
  closed = 0 // of its Redlocks
  weak = new WeakRef(this)
  #container
  #made = new Set()

  constructor(container) {
    this.#container = container
  }

  *#wrappers() {
    for (const { providers, controllers, injectables } of this.#container.values()) {
      for (const collection of [providers, controllers, injectables]) yield* collection.values()
    }
  }

  /** Whether `object` is one of the instances that live as long as the application. */
  owns(object) {
    for (const wrapper of this.#wrappers()) {
      if (this.#instanceOf(wrapper) === object) return true
      if (wrapper.isTransient && wrapper.getStaticTransientInstances().some((host) => host?.instance === object)) {
        return true
      }
    }
    return false
  }

  /** Nest 10, asked for what it could not make, asks itself for ever. Such an application has not come to be. */
  #instanceOf(wrapper) {
    try {
      return wrapper.instance
    } catch {
      open.delete(this.weak)
      return undefined
    }
  }

  /** Whether this application makes objects of `Class` while it runs: for each request, or for whoever asks. */
  makes(Class) {
    if (this.#made.has(Class)) return true
    for (const wrapper of this.#wrappers()) {
      if (wrapper.metatype !== Class || !this.#isShortLived(wrapper)) continue
      this.#made.add(Class)
      return true
    }
    return false
  }

  /** Nest remembers what it finds out about a dependency tree, so it must not be asked before the tree is complete. */
  #isShortLived(wrapper) {
    if (wrapper.isTransient) return true
    if (wrapper.isTreeStatic === undefined && !this.isStarted) return false
    return !wrapper.isDependencyTreeStatic()
  }
}

/**
 * @param {object} [instead] what `redlock` takes the place of, where a test has put it there
 * @returns {boolean} false when that name is taken
 */
function enter(container, name, redlock, instead) {
  const application = applications.get(container) ?? begin(container)
  const known = application.redlocks.get(name)
  if (known !== undefined && known !== instead) return known === redlock
  application.redlocks.set(name, redlock)
  return true
}

function begin(container) {
  const application = new Application(container)
  applications.set(container, application)
  open.add(application.weak)
  return application
}

const start = (container) => {
  applications.get(container).isStarted = true
}

/** A Redlock was closed. Objects whose application was found before still find it, and are told so. */
function leave(container) {
  const application = applications.get(container)
  application.closed += 1
  if (application.closed === application.redlocks.size) open.delete(application.weak)
}

function openApplications() {
  const all = []
  for (const weak of open) {
    const application = weak.deref()
    if (application === undefined) open.delete(weak)
    else all.push(application)
  }
  return all
}

/** @returns {Application | undefined | 'several'} */
function homeOf(object) {
  if (object === null || typeof object !== 'object') return undefined
  const known = homes.get(object)
  if (known !== undefined) return known
  const home = find(object)
  if (home instanceof Application) homes.set(object, home)
  return home
}

function find(object) {
  const all = openApplications()
  const makers = all.filter((application) => application.makes(object.constructor))
  if (all.length === 1 && makers.length === 1) return makers[0] // most objects of a request come this way
  const owner = all.find((application) => application.owns(object))
  if (owner !== undefined) return owner
  if (makers.length <= 1) return makers[0]
  const started = makers.filter(({ isStarted }) => isStarted)
  return started.length === 1 ? started[0] : 'several'
}

module.exports = { enter, start, leave, homeOf }
