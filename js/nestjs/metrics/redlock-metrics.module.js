'use strict'

// RedlockMetricsModule: observes one instance of the container while the application runs. A dynamic module is a plain
// object and life-cycle hooks are plain methods, so nothing of Nest is loaded here.

const { plainObject, onlyKnown } = require('../../argument')
const { wrongType } = require('../../invalid')
const { observeWithOpenTelemetry } = require('../../metrics/otel')
const { observeWithProm } = require('../../metrics/prom')
const { getRedlockToken } = require('../tokens')
const { observers, takePlaceOf } = require('./observers')

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

const PLACE = ['client', 'register', 'prefix', 'meter']

/** Started and stopped by the application: an `Observer`. */
class RedlockMetrics {
  #options
  #observations = []
  #hasGivenWay = false
  isStarting = false
  isEnding = false

  constructor(name, redlock, options) {
    if (redlock === undefined || redlock === null) throw notProvided(name)
    this.name = name
    this.redlock = redlock
    this.place = PLACE.map((part) => options[part])
    this.#options = options
  }

  onModuleInit() {
    takePlaceOf(this)
    this.isStarting = true
    this.#observe()
  }

  onApplicationBootstrap() {
    this.isStarting = false
    if (this.#hasGivenWay) this.#observe() // throws while the other one is observed there
  }

  onModuleDestroy() {
    this.isEnding = true
  }

  /** Also called of an application that did not get as far as its start. */
  onApplicationShutdown() {
    observers.delete(this)
    for (const observation of this.#observations.splice(0)) observation.stop()
  }

  giveWay() {
    this.#hasGivenWay = true
    this.onApplicationShutdown()
  }

  #observe() {
    observers.add(this)
    const { client, register, prefix, buckets, meter, keyClass } = this.#options
    const common = { redlocks: { [this.name]: this.redlock }, buckets, keyClass }
    if (meter !== undefined) this.#observations.push(observeWithOpenTelemetry({ ...common, meter }))
    // prom-client is what is meant where nothing is said.
    if (meter === undefined || client !== undefined || register !== undefined) {
      this.#observations.push(observeWithProm({ ...common, client, register, prefix }))
    }
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
