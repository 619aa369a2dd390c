// What a store refuses. Another lock and another read may mend the first; the second is a mistake in the code.

/** A later holder of the lock has been here: whatever this one has read may have changed since. */
export class StaleTokenError extends Error {
  name = 'StaleTokenError'

  constructor(id, token, fence) {
    super(`token ${token} comes too late for item "${id}", which has seen token ${fence}`)
    Object.assign(this, { id, token, fence })
  }
}

export class MissingItemError extends Error {
  name = 'MissingItemError'

  constructor(id) {
    super(`there is no item "${id}"`)
    this.id = id
  }
}
