'use strict'

// One application: its Redlocks by name, how far it has come, and what Nest tells of its objects. Objects of this class
// are shared by all copies of this package in a process (applications.js).

class Application {
  redlocks = new Map()
  isComplete = false // all that lives as long as it has been made
  completedAt // when that was known
  isStarted = false
  isOpen = true // from the first Redlock until the last one is closed
  closed = 0 // of its Redlocks
  #container
  #made = new Set()
  #isBroken = false

  /** @param {number} number of those that were begun in this process */
  constructor(container, number) {
    this.#container = container
    this.number = number
  }

  *#wrappers() {
    for (const { providers, controllers, injectables } of this.#container.values()) {
      for (const collection of [providers, controllers, injectables]) yield* collection.values()
    }
  }

  /** Whether `object` is one of the instances that live as long as the application. */
  owns(object) {
    if (this.#isBroken) return false
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
      this.#isBroken = true
      this.isOpen = false
      return undefined
    }
  }

  /** Whether this application makes objects of `Class` while it runs: for each request, or for whoever asks. */
  makes(Class) {
    if (this.#made.has(Class)) return true
    for (const wrapper of this.#wrappers()) {
      // the metatype of a factory is its function; its token may be the class
      if ((wrapper.metatype !== Class && wrapper.token !== Class) || !this.#isShortLived(wrapper)) continue
      this.#made.add(Class)
      return true
    }
    return false
  }

  /** Nest remembers what it finds out about a dependency tree, so it must not be asked before the tree is complete. */
  #isShortLived(wrapper) {
    if (wrapper.isTransient) return true
    if (wrapper.isTreeStatic === undefined && !this.isComplete) return false
    return !wrapper.isDependencyTreeStatic()
  }
}

module.exports = { Application }
