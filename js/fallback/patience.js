'use strict'

// How long calls go on asking nodes of which no quorum can vote. A call is given up when the nodes' states have said so
// for its limit without a break; while they say otherwise it waits for its turn as long as it was told to. A node that is
// being connected to for the first time has said nothing yet: a process that has just started must not fall back for that.
// Within connectTimeout it is up or down.

const { listen, unlisten, reasonOf } = require('../call')

/** The reason with which a call is given up; nobody but us sees it. */
const GIVEN_UP = Symbol('no quorum')

/** Faults that are not a node's own word about all of its locks. */
const SILENT = ['TIMEOUT', 'CONNECT', 'NOT_A_LOCK']

/** In which a node does not vote. */
const KNOWN_STATES = ['down', 'quarantined']

class Patience {
  #desk
  #attempts = new Set()
  #canVote // enough nodes are up
  #cannotVote // too many have said, or shown, that they are not

  constructor(desk) {
    this.#desk = desk
    this.#look()
    desk.onNodes = () => this.#changed()
  }

  get canVote() {
    return this.#canVote
  }

  /** @returns {Attempt} to be ended when the answer is there */
  begin(limit, signal) {
    const attempt = new Attempt(limit, signal, this.#attempts, this.#desk.clock)
    if (this.#cannotVote) attempt.hurry()
    return attempt
  }

  /**
   * Nothing is waited for any more while no quorum can vote, by the nodes' states or by what they have answered. Silence
   * alone, of nodes that are up or still being connected to, sends nobody who waits for his turn to the fallback.
   *
   * @param {Error} error that a call without a quorum was told
   */
  giveUp(error) {
    if (!this.#cannotVote && !this.#isSaid(error)) return
    for (const attempt of [...this.#attempts]) attempt.giveUp()
  }

  /** Why each node does not vote, as far as is known. */
  votes() {
    const { names } = this.#desk.settings
    return this.#desk.engine.stats().nodes.flatMap(({ state, code, message }, i) => {
      if (state === 'up') return []
      const vote = { node: names[i], vote: 'faulted' }
      if (code != null) vote.code = code
      if (message != null) vote.message = message
      return [Object.freeze(vote)]
    })
  }

  /** Whether too many nodes are known not to vote, by their states or by their own word, which the states do not show. */
  #isSaid({ votes }) {
    const { names, native } = this.#desk.settings
    const { nodes } = this.#desk.engine.stats()
    const isKnown = ({ node, vote, code }) =>
      vote === 'faulted' && (!SILENT.includes(code) || KNOWN_STATES.includes(nodes[names.indexOf(node)]?.state))
    return votes.filter(isKnown).length > names.length - native.quorum
  }

  #look() {
    const { nodes } = this.#desk.engine.stats()
    const { quorum } = this.#desk.settings.native
    const up = nodes.filter(({ state }) => state === 'up').length
    const untried = nodes.filter(({ state }) => state === 'connecting').length
    this.#canVote = up >= quorum
    this.#cannotVote = up + untried < quorum
  }

  #changed() {
    const could = !this.#cannotVote
    this.#look()
    if (this.#cannotVote !== could) return
    for (const attempt of this.#attempts) this.#cannotVote ? attempt.hurry() : attempt.relax()
  }
}

/** What one call asks the nodes with, in place of an AbortSignal: making one would cost more than the rest of the call. */
class Attempt {
  #limit
  #all
  #clock
  #stop = null
  #heard = null
  reason = undefined
  signal = null // of the user, as `listen` keeps it

  constructor(limit, signal, all, clock) {
    this.#limit = limit
    this.#all = all
    this.#clock = clock
    all.add(this)
    if (signal !== null) listen(signal, this, () => this.#abort(reasonOf(signal)))
  }

  get isGivenUp() {
    return this.reason === GIVEN_UP
  }

  addEventListener(_abort, heard) {
    this.#heard = heard
  }

  removeEventListener() {
    this.#heard = null
  }

  hurry() {
    this.#stop ??= this.#clock.after(this.#limit, () => this.giveUp())
  }

  relax() {
    this.#stop?.()
    this.#stop = null
  }

  giveUp() {
    this.#abort(GIVEN_UP)
  }

  #abort(reason) {
    if (this.reason !== undefined) return
    this.reason = reason
    this.#heard?.()
  }

  end() {
    this.relax()
    this.#all.delete(this)
    unlisten(this)
  }
}

module.exports = { Patience }
