'use strict'

// RedlockModule: one Redlock by name, made by Nest, and given back by Nest. Written by hand and not by Nest's builder,
// since its providers are named by an option.

const { Module } = require('@nestjs/common')
const { ModulesContainer } = require('@nestjs/core')
const { Keeper, enter } = require('./keeper')
const { makeLog } = require('./log')
const { parseModuleOptions, parseAsyncOptions, parseKept } = require('./module-options')
const { RedlockService } = require('./service')
const { DEFAULT_NAME, getRedlockToken, optionsToken, factoryToken, keeperToken } = require('./tokens')

// biome-ignore lint/complexity/noStaticOnlyClass: a Nest module is one
class RedlockModule {
  static forRoot(options) {
    const { name, isGlobal, rest } = parseModuleOptions(options)
    const useValue = withLog(name, parseKept(rest, 'options')) // a value: Nest 10 takes functions of one text for one
    return describe(name, isGlobal, [{ provide: optionsToken(name), useValue }], [])
  }

  static forRootAsync(options) {
    const { name, isGlobal } = parseAsyncOptions(options)
    const { imports = [], extraProviders = [] } = options
    return describe(name, isGlobal, [...extraProviders, ...optionProviders(name, options)], imports)
  }
}

Module({})(RedlockModule)

function optionProviders(name, { useFactory, inject = [], useClass, useExisting }) {
  const provide = optionsToken(name)
  if (useFactory !== undefined) {
    const made = async (...given) => withLog(name, parseKept(await useFactory(...given), 'what useFactory returns'))
    return [{ provide, useFactory: made, inject }]
  }
  const useOptions = async (factory) => {
    if (typeof factory?.createRedlockOptions !== 'function') {
      throw new TypeError('a RedlockOptionsFactory must have the method createRedlockOptions()')
    }
    return withLog(name, parseKept(await factory.createRedlockOptions(name), 'what createRedlockOptions() returns'))
  }
  if (useExisting !== undefined) return [{ provide, useFactory: useOptions, inject: [useExisting] }]
  const factory = factoryToken(name)
  return [
    { provide: factory, useClass },
    { provide, useFactory: useOptions, inject: [factory] },
  ]
}

/**
 * The default instance stands behind its class, and the token is another name of it, so that a test that overrides
 * RedlockService has overridden both. The keeper asks for the token like everybody else: it keeps what is really used.
 */
function describe(name, isGlobal, optionProvided, imports) {
  const token = getRedlockToken(name)
  const opened = new WeakMap() // by application: a module may be imported by several
  const made = { useFactory: opener(name, opened), inject: [optionsToken(name), ModulesContainer] }
  const instance =
    name === DEFAULT_NAME
      ? [
          { provide: RedlockService, ...made },
          { provide: token, useExisting: RedlockService },
        ]
      : [{ provide: token, ...made }]
  const keeper = {
    provide: keeperToken(name),
    useFactory: (redlock, settings, container) => new Keeper(name, redlock, opened.get(container), settings, container),
    inject: [token, optionsToken(name), ModulesContainer],
  }
  return {
    module: RedlockModule,
    global: isGlobal,
    imports,
    providers: [...optionProvided, ...instance, keeper],
    exports: name === DEFAULT_NAME ? [token, RedlockService] : [token],
  }
}

/** One log for the instance and its keeper. */
const withLog = (name, { logger, ...kept }) => ({ ...kept, log: makeLog(name, logger) })

/** Entered at once, since the keeper may be made later than those who already lock in their constructors. */
const opener =
  (name, opened) =>
  ({ redlock: options, log }, container) => {
    const redlock = new RedlockService(options, log?.wait ?? null)
    opened.set(container, redlock)
    enter(container, name, redlock)
    return redlock
  }

module.exports = { RedlockModule }
