'use strict'

// RedlockMetricsModule: observes one instance of the container while the application runs. A dynamic module is a plain
// object and life-cycle hooks are plain methods, so nothing of Nest is loaded here.

const { plainObject, onlyKnown } = require('../../argument')
const { wrongType } = require('../../invalid')
const { observeWithOpenTelemetry } = require('../../metrics/otel')
const { observeWithProm } = require('../../metrics/prom')
const { getRedlockToken } = require('../tokens')

const NAMES = ['name', 'imports', 'client', 'register', 'prefix', 'buckets', 'meter', 'keyClass']
const DEFAULT_NAME = 'default'

// biome-ignore lint/complexity/noStaticOnlyClass: Nest knows a module by its class
class RedlockMetricsModule {
  static forRoot(options = {}) {
    onlyKnown('options', plainObject('options', options), NAMES)
    const { name = DEFAULT_NAME, imports = [] } = options
    if (typeof name !== 'string' || name === '') throw wrongType('name', 'be the name of a Redlock instance', name)
    return {
      module: RedlockMetricsModule,
      imports: [...imports],
      providers: [
        {
          provide: `RedlockMetrics_${name}`,
          inject: [{ token: getRedlockToken(name), optional: true }],
          useFactory: (redlock) => new RedlockMetrics(name, redlock, options),
        },
      ],
    }
  }
}

/**
 * Between onModuleInit and onApplicationBootstrap. Whoever is still here when the next one comes, for the same place, is of
 * an application whose start has failed: Nest tells nobody of that, and it would stand in the way of every other try. Where
 * it was only slow, its own start fails.
 */
const starting = new Set()

const PLACE = ['client', 'register', 'prefix', 'meter']

/** Started and stopped by the application. */
class RedlockMetrics {
  #name
  #redlock
  #options
  #observations = []
  #hasGivenWay = false

  constructor(name, redlock, options) {
    if (redlock === undefined || redlock === null) throw notProvided(name)
    this.#name = name
    this.#redlock = redlock
    this.#options = options
  }

  onModuleInit() {
    for (const other of starting) if (other.#isInPlaceOf(this)) other.#giveWay()
    starting.add(this)
    this.#observe()
  }

  onApplicationBootstrap() {
    if (this.#hasGivenWay) this.#observe() // throws while the other one is observed there
    starting.delete(this)
  }

  #giveWay() {
    this.#hasGivenWay = true
    this.onApplicationShutdown()
  }

  /** Not of the same application, where it is a mistake that is told. */
  #isInPlaceOf(other) {
    if (this.#redlock === other.#redlock) return false
    return this.#name === other.#name && PLACE.every((name) => this.#options[name] === other.#options[name])
  }

  #observe() {
    const { client, register, prefix, buckets, meter, keyClass } = this.#options
    const common = { redlocks: { [this.#name]: this.#redlock }, buckets, keyClass }
    if (meter !== undefined) this.#observations.push(observeWithOpenTelemetry({ ...common, meter }))
    // prom-client is what is meant where nothing is said.
    if (meter === undefined || client !== undefined || register !== undefined) {
      this.#observations.push(observeWithProm({ ...common, client, register, prefix }))
    }
  }

  /** Also called of an application that did not get as far as its start. */
  onApplicationShutdown() {
    starting.delete(this)
    for (const observation of this.#observations.splice(0)) observation.stop()
  }
}

function notProvided(name) {
  const error = new Error(
    `RedlockMetricsModule found no Redlock instance called "${name}": import RedlockModule with that name and ` +
      'isGlobal, or give the module that exports it in imports',
  )
  error.code = 'ERR_QUORLOCK_NOT_PROVIDED'
  return error
}

module.exports = { RedlockMetricsModule }
