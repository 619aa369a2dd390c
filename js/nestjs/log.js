'use strict'

// What the log says of a Redlock: one line per change of a node's state, and of who gives the locks; a warning per lost
// lock; and, for who wants to know, which calls had to wait.

const { Logger } = require('@nestjs/common')
const { DEFAULT_NAME } = require('./tokens')
const { WATCH } = require('../emitter')
const { shorten } = require('../invalid')
const { warn, textOf } = require('../report')

/** @returns the log, or null where none is wanted */
function makeLog(name, given) {
  if (given === false) return null
  const context = name === DEFAULT_NAME ? 'Redlock' : `Redlock:${name}`
  const say = guarded(given === undefined ? ofNest(context) : ofUser(given, context))
  return {
    watch: (redlock) => watch(redlock, say),
    error: say.error,
    wait: say.debug === null ? null : (...wait) => say.debug(() => waitLine(...wait)),
  }
}

/**
 * A logger that throws must not take a lock with it: who has just been granted one would never give it back. Nor must one
 * that rejects end the process. A text that takes some making is given as a function, which may fail as well.
 */
function guarded(say) {
  const guard = (write) => (text) => {
    try {
      const answer = write(typeof text === 'function' ? text() : text)
      if (typeof answer?.then === 'function') answer.then(undefined, failed)
    } catch (error) {
      failed(error)
    }
  }
  return Object.fromEntries(Object.entries(say).map(([level, write]) => [level, write === null ? null : guard(write)]))
}

const failed = (error) => warn('LOGGER', `the logger failed: ${textOf(error)}`, error)

function ofNest(context) {
  const logger = new Logger(context)
  return {
    log: (text) => logger.log(text),
    warn: (text) => logger.warn(text),
    error: (text) => logger.error(text),
    debug: (text) => logger.debug(text),
  }
}

function ofUser(logger, context) {
  return {
    log: (text) => logger.log(text, context),
    warn: (text) => logger.warn(text, context),
    error: (text) => (logger.error ?? logger.warn).call(logger, text, context),
    debug: typeof logger.debug === 'function' ? (text) => logger.debug(text, context) : null,
  }
}

/**
 * A node is told to be up, too, when it is for the first time: that is what a start is looked at for. What the snapshot
 * shows may be on its way as an event, too, and is told once.
 */
function watch(redlock, say) {
  const told = new Map()
  const tell = (node, state, error) => {
    if (told.get(node) === state) return
    told.set(node, state)
    if (state === 'up') say.log(`node ${node} is up`)
    else say.warn(`node ${node} is ${state}${error ? `: ${error}` : ''}`)
  }
  // A test's stand-in may have none of these, or not in our form.
  for (const { name, state, error } of redlock.stats?.()?.nodes ?? []) if (state in TOLD) tell(name, state, error)
  // Nothing is to be told of an application whose start failed: then its instance must not be kept by us.
  const on = (redlock[WATCH] ?? redlock.on)?.bind(redlock)
  if (on === undefined) return
  on('nodeUp', ({ node }) => tell(node, 'up'))
  on('nodeDown', ({ node, error }) => tell(node, stateOf(error), reasonIn(error)))
  on('degraded', ({ degraded, cause }) => {
    if (degraded) say.warn(`locks come from the fallback from now on: ${cause?.message}`)
    else say.log('locks come from the nodes again')
  })
  on('lost', ({ key, reason }) => say.warn(`lost the lock ${inWords(key)}: ${reason}`))
}

const TOLD = { up: true, down: true, quarantined: true }

const stateOf = (error) => (error?.code === 'QUARANTINED' ? 'quarantined' : 'down')

const reasonIn = (error) =>
  error === undefined
    ? ''
    : [error.code, error.message].filter((part, i, all) => part && all.indexOf(part) === i).join(' ')

function waitLine(key, waited, attempts, error) {
  const line = `waited ${waited} ms for the lock ${inWords(key)}${attempts > 1 ? `, ${attempts} attempts` : ''}`
  return error === undefined ? line : `${line}, in vain: ${String(error?.code ?? error?.name ?? 'aborted')}`
}

/** Of whatever was given for one. */
const inWords = (key) =>
  [key]
    .flat()
    .map((one) => JSON.stringify(shorten(String(one))))
    .join(', ')

module.exports = { makeLog }
