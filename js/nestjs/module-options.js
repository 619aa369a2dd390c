'use strict'

// What the module is given: beside the options of a Redlock, some of its own. Only their names are shown when they are
// wrong; the rest is checked, and told, by the Redlock itself, which shows no passwords either.

const { MAX_MS, plainObject, integer, flag } = require('../argument')
const { wrongType, wrongValue } = require('../invalid')
const { DEFAULT_NAME } = require('./tokens')

const SHUTDOWN_TIMEOUT = 5000

const ASYNC_NAMES = ['name', 'isGlobal', 'imports', 'inject', 'useFactory', 'useClass', 'useExisting', 'extraProviders']

const LOGGER_METHODS = ['log', 'warn']

/** The part that decides what the module looks like, and the rest. */
function parseModuleOptions(options) {
  plainObject('options', options, "be an object with nodes, like { nodes: ['redis://localhost:6379'] }")
  const { name, isGlobal, ...rest } = options
  return { ...parseShape({ name, isGlobal }), rest }
}

function parseShape({ name = DEFAULT_NAME, isGlobal = false }) {
  checkName(name)
  return { name, isGlobal: flag('isGlobal', isGlobal) }
}

function checkName(name) {
  if (typeof name !== 'string') throw wrongType('name', 'be a string', name)
  if (name === '') throw wrongValue('name', 'not be empty', name)
}

function parseAsyncOptions(options) {
  plainObject('options', options, 'be an object with useFactory, useClass or useExisting')
  for (const given of Object.keys(options)) {
    if (!ASYNC_NAMES.includes(given)) {
      const what = `only have the names ${ASYNC_NAMES.join(', ')} (what configures the locks is what the factory returns)`
      throw wrongValue('options of forRootAsync', what, given)
    }
  }
  const ways = ['useFactory', 'useClass', 'useExisting'].filter((way) => options[way] !== undefined)
  if (ways.length !== 1) {
    const got = ways.length === 0 ? undefined : ways.join(' and ')
    throw wrongValue('options of forRootAsync', 'have one of useFactory, useClass and useExisting', got)
  }
  if (options.useFactory !== undefined && typeof options.useFactory !== 'function') {
    throw wrongType('useFactory', 'be a function', options.useFactory)
  }
  if (options.useClass !== undefined && typeof options.useClass !== 'function') {
    throw wrongType('useClass', 'be a class', options.useClass)
  }
  for (const list of ['imports', 'inject', 'extraProviders']) {
    if (options[list] !== undefined && !Array.isArray(options[list])) {
      throw wrongType(list, 'be an array', options[list])
    }
  }
  return parseShape(options)
}

/** What a factory returned, or forRoot was given: our own part is checked and taken out of it. */
function parseKept(options, from) {
  plainObject(from, options, "be an object with nodes, like { nodes: ['redis://localhost:6379'] }")
  const { shutdownTimeout = SHUTDOWN_TIMEOUT, logger, ...redlock } = options
  for (const name of ['name', 'isGlobal']) {
    if (name in redlock) throw wrongValue(from, `not have ${name}, which belongs beside useFactory`, redlock[name])
  }
  integer('shutdownTimeout', shutdownTimeout, 0, MAX_MS)
  return { shutdownTimeout, logger: checkLogger(logger), redlock }
}

function checkLogger(logger) {
  if (logger === undefined || logger === false) return logger
  const has = (method) => typeof logger?.[method] === 'function'
  if (!LOGGER_METHODS.every(has)) throw wrongType('logger', "be one of Nest's LoggerServices, or false", logger)
  return logger
}

module.exports = { parseModuleOptions, parseAsyncOptions, parseKept, checkName }
