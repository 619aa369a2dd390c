'use strict'

// Which application an object belongs to, and which Redlocks that application has. A decorator runs before there is any
// application, and several may live in one process: so the question is asked when a method is called, by the object it
// is called on. An application is known by Nest's `ModulesContainer`, of which each has one.

const { PROCESS } = require('../clock')
const { Application } = require('./application')

/** Each copy of this package in a process finds it, as it finds the tokens. Another form of it needs another number. */
const REGISTRY = Symbol.for('quorlock.nestjs.applications.1')

function makeRegistry() {
  return {
    /** ModulesContainer -> Application. */
    applications: new WeakMap(),
    /** All of them, as far as anybody has them: weak, since some never come to be, and nobody closes those. */
    known: new Set(),
    /** Object -> Application, where it was found. Stays true when that application is closed. */
    homes: new WeakMap(),
    /** The objects among these that Nest does not tell anything of. */
    guessed: new WeakSet(),
    begun: 0,
  }
}

if (globalThis[REGISTRY] === undefined) Object.defineProperty(globalThis, REGISTRY, { value: makeRegistry() })
const registry = globalThis[REGISTRY]
const { applications, known, homes, guessed } = registry

/**
 * @param {object} [instead] what `redlock` takes the place of, where a test has put it there
 * @returns {boolean} false when that name is taken
 */
function enter(container, name, redlock, instead) {
  const application = applications.get(container) ?? begin(container)
  const before = application.redlocks.get(name)
  if (before !== undefined && before !== instead) return before === redlock
  application.redlocks.set(name, redlock)
  return true
}

function begin(container) {
  registry.begun += 1
  const application = new Application(container, registry.begun)
  applications.set(container, application)
  known.add(new WeakRef(application))
  return application
}

/** Everything that lives as long as the application has been made. */
function complete(container) {
  const application = applications.get(container)
  application.isComplete = true
  application.completedAt ??= PROCESS.now()
}

const start = (container) => {
  applications.get(container).isStarted = true
}

/** A Redlock was closed; with the last one, the application is. Its objects still find it, and are told so. */
function leave(container) {
  const application = applications.get(container)
  application.closed += 1
  if (application.closed === application.redlocks.size) application.isOpen = false
}

function knownApplications() {
  const all = []
  for (const weak of known) {
    const application = weak.deref()
    if (application === undefined) known.delete(weak)
    else all.push(application)
  }
  return all
}

/** @returns {Application | undefined | 'several'} */
function homeOf(object) {
  if (object === null || typeof object !== 'object') return undefined
  const home = homes.get(object)
  if (home === undefined) return find(object)
  if (home.isOpen || !guessed.has(object)) return home
  const other = find(object)
  return other === undefined ? home : other
}

function find(object) {
  const all = knownApplications()
  const open = all.filter(({ isOpen }) => isOpen)
  const makers = open.filter((application) => application.makes(object.constructor))
  // Most objects of a request come this way.
  if (open.length === 1 && makers.length === 1) return settle(object, makers[0])
  const owner = all.find((application) => application.owns(object))
  if (owner !== undefined) return settle(object, owner)
  if (makers.length > 0) return settle(object, theOneOf(makers))
  // Nest tells nothing of it: made by `moduleRef.create()`, inside a factory, or by hand.
  if (!open.some(({ isStarted }) => isStarted)) return undefined
  guessed.add(object)
  const candidates = open.filter(({ isComplete }) => isComplete)
  return settle(object, theOneOf(candidates))
}

function settle(object, home) {
  if (typeof home === 'object') homes.set(object, home)
  return home
}

/** How long an application may take from its first `onModuleInit` until it has started. */
const START_LIMIT_MS = 60_000

/**
 * What has not started yet, though one that was begun later has, or for that long, is taken for an application whose start
 * failed: Nest tells nobody, and it stays here until it is collected.
 */
function theOneOf(candidates) {
  if (candidates.length <= 1) return candidates[0]
  const [one, another] = candidates.filter(({ isStarted }) => isStarted)
  if (one === undefined || another !== undefined) return 'several'
  const since = PROCESS.now() - START_LIMIT_MS
  const mayBeStarting = ({ isComplete, isStarted, number, completedAt }) =>
    isComplete && !isStarted && number > one.number && completedAt > since
  return candidates.some(mayBeStarting) ? 'several' : one
}

module.exports = { enter, complete, start, leave, homeOf }
