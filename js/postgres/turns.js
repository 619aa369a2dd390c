'use strict'

// Who of this process may ask Postgres for a key: one at a time, in the order of their calls. A thousand buyers of one
// item would else take every connection of the pool, only to hear that it is taken.

class Turns {
  #lines = new Map() // from each number to those who want it, the first of whom has it

  /**
   * Resolves to a function that lets the next ones in; rejects as `end` does, when that comes first.
   *
   * @param {readonly string[]} numbers in ascending order, as everybody takes them
   * @param {Promise<never> | null} end null where nobody is there yet
   */
  async take(numbers, end) {
    const places = []
    const leave = () => {
      for (const place of places.splice(0).reverse()) this.#leave(place)
    }
    try {
      for (const number of numbers) {
        const place = this.#stand(number)
        places.push(place)
        await (end === null ? place.turn : Promise.race([place.turn, end]))
      }
    } catch (error) {
      leave()
      throw error
    }
    return leave
  }

  /** Whether somebody of this process is there already. */
  isBusy(numbers) {
    return numbers.some((number) => this.#lines.has(number))
  }

  #stand(number) {
    const place = { number }
    place.turn = new Promise((resolve) => {
      place.come = resolve
    })
    const line = this.#lines.get(number)
    if (line === undefined) {
      this.#lines.set(number, new Set([place]))
      place.come()
    } else {
      line.add(place)
    }
    return place
  }

  #leave(place) {
    const line = this.#lines.get(place.number)
    const [first] = line
    line.delete(place)
    const [next] = line
    if (next === undefined) this.#lines.delete(place.number)
    else if (first === place) next.come()
  }
}

module.exports = { Turns }
