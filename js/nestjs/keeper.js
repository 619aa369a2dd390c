'use strict'

// The life of one Redlock in one application: entered where @WithLock looks, watched by the log, drained when the
// application is about to close, and closed when everybody else had time to finish.

const applications = require('./applications')
const { BY_HAND } = require('../clock')

class Keeper {
  #redlock
  #all
  #container
  #log
  #shutdownTimeout

  /**
   * @param redlock what everybody gets
   * @param made what the module made, where it did: another one, if a test has overridden the token alone
   */
  constructor(name, redlock, made, { log, shutdownTimeout }, container) {
    this.#redlock = redlock
    this.#all = new Set(made === undefined ? [redlock] : [redlock, made])
    this.#container = container
    this.#log = log
    this.#shutdownTimeout = shutdownTimeout
    enter(container, name, redlock, made)
  }

  onModuleInit() {
    applications.complete(this.#container)
    this.#log?.watch(this.#redlock)
  }

  onApplicationBootstrap() {
    applications.start(this.#container)
  }

  /** Who still waits for a lock is told so, and may end; HTTP is still being served. */
  beforeApplicationShutdown() {
    for (const redlock of this.#all) redlock.drain?.()
  }

  async onApplicationShutdown() {
    await Promise.all([...this.#all].map((redlock) => this.#close(redlock)))
    applications.leave(this.#container)
  }

  /** A shutdown must go on, whatever is the matter here. */
  async #close(redlock) {
    try {
      // one whose time stands still would wait for ever
      await (redlock[BY_HAND] ? redlock.close() : redlock.close?.({ timeout: this.#shutdownTimeout }))
    } catch (error) {
      this.#log?.error(`could not be closed: ${error?.message ?? error}`)
    }
  }
}

/** Where @WithLock looks. */
function enter(container, name, redlock, instead) {
  if (applications.enter(container, name, redlock, instead)) return
  const same = `RedlockModule is there more than once for the name ${JSON.stringify(name)}`
  throw new Error(`${same}: import it once, with isGlobal or exported by a module of yours, or give names`)
}

module.exports = { Keeper, enter }
