'use strict'

// drain(): reject those that wait; new calls are refused before they get here. close(): drain, let running sections
// finish, take away what is left, and end the connections. Also the end of the process, where only a short best effort
// is possible.

const { setTimeout: sleep } = require('node:timers/promises')
const { INSPECT, CONNECT } = require('./call')
const { Lock, friend } = require('./lock')
const { UNKNOWN, UNWANTED } = require('./desk')
const failure = require('./failure')
const { IS_RELEASED, TAKE_AWAY } = require('./handle')
const { openMailbox } = require('./mailbox')
const { complain } = require('./report')

/** Of an instance: whether it refuses calls, since it was drained or closed. Every copy of this package understands it. */
const IS_DRAINED = Symbol.for('quorlock.isDrained')

const EXIT_BUDGET_MS = 100

/** Between two looks at whether the last nodes have answered. */
const QUIET_PAUSE_MS = 2

/** Native code answers a release within nodeTimeout; at least this much more is granted before we go on without it. */
const GRACE_MS = 1000

/** Nothing is acquired any more; what is held stays held, and renewed. */
function drainDesk(desk) {
  desk.isClosing = true
  rejectWaiting(desk)
}

/** Of a desk that has been drained. */
async function closeDesk(desk, timeout) {
  const since = desk.clock.now()
  await until(desk, nothingIsHeld(desk), timeout)
  takeAwayLocks(desk)
  const answered = () => desk.live === 0 && desk.route.pending <= desk.queries
  const left = timeout - (desk.clock.now() - since)
  await until(desk, answered, Math.max(left, desk.settings.native.nodeTimeout + GRACE_MS))
  if (!desk.isInLab) await quiet(desk.engine, desk.settings.native.nodeTimeout)
}

/** A quorum has answered every release; the other nodes have so long before their connections end. */
async function quiet(engine, ms) {
  const end = performance.now() + ms
  while (!engine.isQuiet() && performance.now() < end) await sleep(QUIET_PAUSE_MS)
}

/** The end. Whoever still waits for a release learns that its outcome is unknown. */
function shutDesk(desk) {
  desk.isShut = true
  desk.onNodes = null
  desk.layers = null
  try {
    desk.engine.close()
  } catch (error) {
    complain('an engine could not be closed', error)
  }
  desk.mailbox.removeRoute(desk.route)
  desk.emitter.clear()
  for (const entry of desk.locks.splice(0)) {
    if (entry instanceof Lock) friend.released(entry, UNKNOWN)
  }
  for (const call of desk.calls.splice(0)) call?.reject(failure.closed('lock', call.key))
}

/**
 * Whether there is nothing left to wait for: no lock is held, and no section is at work that still has to give one back.
 * A handle whose validity has ended is not held, released or not. Nothing is held anew while closing, so that each is
 * passed once, however often this is asked.
 */
function nothingIsHeld(desk) {
  let slot = 0
  return () => {
    while (slot < desk.locks.length && !isWaitedFor(desk, desk.lockAt(slot))) slot += 1
    return slot >= desk.locks.length
  }
}

/** A section has been told of the loss of its lock by its signal, and may still be tidying up. */
const isWaitedFor = (desk, lock) =>
  lock !== undefined && (lock.isHeld || (desk.running.has(lock) && !lock[IS_RELEASED]))

function rejectWaiting(desk, errorFor = failure.closed) {
  desk.calls.forEach((call, slot) => {
    if (call === undefined || call.gone) return
    const what = call.kind === CONNECT ? 'connect' : call.kind === INSPECT ? 'inspect' : 'lock'
    desk.abandonCall(slot, call, errorFor(what, call.key))
  })
}

function takeAwayLocks(desk) {
  desk.locks.forEach((entry, slot) => {
    if (entry === undefined || entry === UNWANTED) return
    const lock = desk.lockAt(slot)
    if (lock === undefined) desk.abandon(entry)
    else lock[TAKE_AWAY]()
  })
}

/** Resolves when `done()` holds, checked whenever native code answers or tells of a loss, or after `ms`. */
function until(desk, done, ms) {
  if (done()) return Promise.resolve()
  return new Promise((resolve) => {
    const end = () => {
      stop()
      desk.onQuiet = null
      resolve()
    }
    const stop = desk.clock.after(ms, end)
    desk.onQuiet = () => {
      if (done()) end()
    }
  })
}

let isExitWatched = false

/** Locks still held when the process (or the worker) ends are given back, if the nodes answer quickly. */
function watchExit() {
  if (isExitWatched) return
  isExitWatched = true
  process.once('exit', () => {
    const deadline = performance.now() + EXIT_BUDGET_MS
    for (const desk of openMailbox().mailbox.desks()) {
      try {
        desk.engine.shutdown(Math.max(1, Math.round(deadline - performance.now())))
      } catch (error) {
        complain('locks could not be released at exit', error)
      }
    }
  })
}

module.exports = { IS_DRAINED, drainDesk, closeDesk, shutDesk, rejectWaiting, takeAwayLocks, watchExit }
