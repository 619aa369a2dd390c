'use strict'

// Who of this process may ask Postgres for a key: one at a time, in the order of their calls. A thousand buyers of one
// item would else take every connection of the pool, only to hear that it is taken. Who wants several keys stands in all
// of their lines at once: then everybody is in the same order everywhere, and nobody waits in a circle. Who has the first
// place in some lines and waits in others has no turn yet, and may be overtaken by who cannot wait.

class Turns {
  #lines = new Map() // from each number to those who want it, the first of whom has it

  /** @returns {Stand} to be left in any case */
  stand(numbers) {
    return new Stand(this.#lines, numbers)
  }
}

/** The places of one call, one for each of its numbers. */
class Stand {
  #lines
  #places
  #missing // how many lines have others before us
  #come

  constructor(lines, numbers) {
    this.#lines = lines
    this.#missing = 0
    this.turn = new Promise((resolve) => {
      this.#come = resolve
    })
    this.#places = numbers.map((number) => this.#standIn(number))
    if (this.isFirst) this.#come()
  }

  /** Whether it is first in every line: then `turn` is there. */
  get isFirst() {
    return this.#missing === 0
  }

  /** Goes before all who have no turn yet: then it is first everywhere. False where somebody in our lines has his turn. */
  overtake() {
    const lines = this.#places.map(({ number, place }) => ({ number, place, line: this.#lines.get(number) }))
    if (lines.some(({ place, line }) => firstOf(line) !== place && firstOf(line).hasTurn())) return false
    for (const { number, place, line } of lines) {
      const first = firstOf(line)
      if (first === place) continue
      line.delete(place)
      this.#lines.set(number, new Set([place, ...line]))
      first.waits()
    }
    this.#missing = 0
    return true
  }

  /** Lets the next ones in. */
  leave() {
    for (const { number, place } of this.#places.splice(0)) {
      const line = this.#lines.get(number)
      const first = firstOf(line)
      line.delete(place)
      const next = firstOf(line)
      if (next === undefined) this.#lines.delete(number)
      else if (first === place) next.come()
    }
  }

  #standIn(number) {
    const line = this.#lines.get(number) ?? new Set()
    this.#lines.set(number, line)
    if (line.size > 0) this.#missing += 1
    const place = { come: () => this.#comes(), waits: () => this.#waits(), hasTurn: () => this.isFirst }
    line.add(place)
    return { number, place }
  }

  /** Somebody has gone before us in one line. */
  #waits() {
    this.#missing += 1
  }

  #comes() {
    this.#missing -= 1
    if (this.isFirst) this.#come()
  }
}

const firstOf = ([first]) => first

module.exports = { Turns }
