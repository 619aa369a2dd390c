'use strict'

// One connection of the user's pool while it is ours. A connection in doubt is never given back: it is destroyed, which
// is what frees whatever it may still hold on the server.

const ends = require('./ends')
const failure = require('./failure')
const { warn, textOf } = require('../report')

class Connection {
  #client
  #answerTimeout
  #failed
  #turn = Promise.resolve() // when the statement before has been answered
  #isOver = false
  #onError = (error) => this.#break(error)
  /** Why it can not be used any more. */
  error = null
  /** Called once when it breaks while it is ours. */
  onBroken = null

  constructor(client, answerTimeout) {
    this.#client = client
    this.#answerTimeout = answerTimeout
    this.#failed = new Promise((_, reject) => {
      this.reject = reject
    })
    this.#failed.catch(nothing)
    // Without a listener an error of the connection would end the process.
    client.on('error', this.#onError)
    client.on('end', this.#onError)
  }

  /** The user's own, for his statements in our transaction. */
  get client() {
    return this.#client
  }

  /** Rejects after `answerTimeout`, and at once when the connection breaks; then it is of no use any more. */
  async query(text, values) {
    if (this.error !== null) throw this.error
    const late = ends.timer(this.#answerTimeout, () => failure.noAnswer(this.#answerTimeout))
    let isWanted = true
    const answer = this.#turn.then(() => {
      if (!isWanted || this.#isOver) throw failure.ended()
      return this.#client.query(text, values)
    })
    // One after the other: pg's own queue of statements is deprecated, and gone in its version 9. Nobody stands in this one
    // for longer than `answerTimeout`.
    this.#turn = answer.then(nothing, nothing)
    try {
      return await Promise.race([answer, this.#failed, late.promise])
    } finally {
      isWanted = false
      late.clear()
    }
  }

  /** Back to the pool: only when it surely holds nothing. */
  giveBack() {
    this.#leave(false)
  }

  destroy() {
    this.#leave(true)
  }

  #leave(isBroken) {
    if (this.#isOver) return
    this.#isOver = true
    const isSound = !isBroken && this.error === null
    if (isSound) {
      this.#client.off('error', this.#onError)
      this.#client.off('end', this.#onError)
    } // else what it still says while it ends is for nobody: we go on listening
    try {
      this.#client.release(isSound ? undefined : true)
    } catch (error) {
      // The user has given back what is ours; this may be called by a timer, where a throw would end the process.
      warn('CLIENT', `a connection of a lock in Postgres could not be given back: ${textOf(error)}`, error)
    }
  }

  #break(error) {
    if (this.#isOver || this.error !== null) return
    this.error = error ?? failure.ended()
    this.reject(this.error)
    this.onBroken?.(this.error)
  }
}

const nothing = () => {}

/**
 * A connection of the pool, which may have none for a while. One that comes too late goes back at once.
 *
 * @returns {Promise<Connection>}
 */
async function connect(pool, answerTimeout, limit, signal) {
  const asked = Promise.resolve(pool.connect())
  const late = ends.timer(limit, () => failure.noConnection(limit))
  const aborted = ends.onAbort(signal)
  try {
    return new Connection(await Promise.race([asked, late.promise, aborted.promise]), answerTimeout)
  } catch (error) {
    asked.then((client) => client.release(), nothing)
    throw error
  } finally {
    late.clear()
    aborted.clear()
  }
}

module.exports = { Connection, connect }
