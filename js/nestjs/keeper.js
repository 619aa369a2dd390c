'use strict'

// The life of one Redlock in one application: entered where @WithLock looks, watched by the log, drained when the
// application is about to close, and closed when everybody else had time to finish.

const applications = require('./applications')

class Keeper {
  #redlock
  #container
  #log
  #shutdownTimeout

  constructor(name, redlock, { log, shutdownTimeout }, container) {
    this.#redlock = redlock
    this.#container = container
    this.#log = log
    this.#shutdownTimeout = shutdownTimeout
    enter(container, name, redlock) // again, or for the first time: a test may have put another in its place
  }

  /** Not earlier: an instance that is listened to is kept alive, also by an application that never came to be. */
  onModuleInit() {
    applications.start(this.#container)
    if (typeof this.#redlock.stats === 'function') this.#log?.watch(this.#redlock)
  }

  /** Who still waits for a lock is told so, and may end; HTTP is still being served. */
  beforeApplicationShutdown() {
    this.#redlock.drain?.()
  }

  /** A shutdown must go on, whatever is the matter here. */
  async onApplicationShutdown() {
    try {
      await this.#redlock.close?.({ timeout: this.#shutdownTimeout })
    } catch (error) {
      this.#log?.error(`could not be closed: ${error?.message ?? error}`)
    } finally {
      applications.leave(this.#container)
    }
  }
}

/** Where @WithLock looks. */
function enter(container, name, redlock) {
  if (applications.enter(container, name, redlock)) return
  const same = `RedlockModule is there more than once for the name ${JSON.stringify(name)}`
  throw new Error(`${same}: import it once, with isGlobal or exported by a module of yours, or give names`)
}

module.exports = { Keeper, enter }
