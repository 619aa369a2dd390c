'use strict'

// observeWithProm: figures in a registry of prom-client, which is the user's. Several observations may share one.

const { plainObject, onlyKnown, callback } = require('../argument')
const { wrongType, wrongValue } = require('../invalid')
const { parseBuckets, areEqual } = require('./buckets')
const { recorderInto } = require('./figures')
const { Observation } = require('./observation')
const { requirePeer } = require('./peer')
const { PromMetrics, namesUnder } = require('./prom-metrics')
const { parseTargets } = require('./targets')
const { refuseTwice, twice } = require('./twice')

const NAMES = ['redlock', 'redlocks', 'client', 'register', 'prefix', 'buckets', 'keyClass']
const DEFAULT_PREFIX = 'quorlock_'

/** Registry -> prefix -> metrics, while anything is observed there. */
const kept = new WeakMap()

/** @returns {{ stop(): void }} */
function observeWithProm(options) {
  onlyKnown('options', plainObject('options', options), NAMES)
  const targets = parseTargets(options)
  const prefix = checkPrefix(options.prefix === undefined ? DEFAULT_PREFIX : options.prefix)
  const { keyClass } = options
  if (keyClass !== undefined) callback('keyClass', keyClass)
  const buckets = parseBuckets(options.buckets)
  const client = clientOf(options.client)
  const register = registerOf(options.register === undefined ? client.register : options.register)

  const byPrefix = kept.get(register) ?? new Map()
  kept.set(register, byPrefix)
  const metrics = metricsIn(byPrefix, prefix, register, () => new PromMetrics(client, register, prefix, buckets))
  refuseTwice(metrics.targets, targets, 'registry')
  if (!areEqual(metrics.buckets, buckets)) {
    throw wrongValue('buckets', `be those of the observation that is at ${prefix} already`, options.buckets)
  }
  if (keyClass === undefined) for (const name of targets.values()) metrics.zero(name)
  const observation = new Observation(targets, keyClass, recorderInto(metrics.add.bind(metrics)))
  for (const [redlock, name] of targets) metrics.targets.set(redlock, name)
  observation.start()
  return {
    stop() {
      if (!observation.stop()) return
      for (const redlock of targets.keys()) metrics.targets.delete(redlock)
      if (metrics.targets.size > 0) return
      metrics.remove()
      if (byPrefix.get(prefix) === metrics) byPrefix.delete(prefix)
    },
  }
}

function checkPrefix(prefix) {
  const wanted = 'be letters, digits and underscores, not a digit first'
  if (typeof prefix !== 'string') throw wrongType('prefix', wanted, prefix)
  if (!/^[a-z_][a-z0-9_]*$/i.test(prefix)) throw wrongValue('prefix', wanted, prefix)
  return prefix
}

function clientOf(given) {
  if (given === undefined) return requirePeer('prom-client', 'observeWithProm', 'give it as the option "client"')
  const isClient = ['Histogram', 'Counter', 'Gauge'].every((name) => typeof given?.[name] === 'function')
  if (!isClient) throw wrongType('client', 'be what prom-client exports', given)
  return given
}

function registerOf(given) {
  if (typeof given?.registerMetric !== 'function') throw wrongType('register', 'be a Registry of prom-client', given)
  return given
}

function metricsIn(byPrefix, prefix, register, make) {
  const known = byPrefix.get(prefix)
  if (known?.areKept) return known
  const taken = namesUnder(prefix).find((name) => register.getSingleMetric(name) !== undefined)
  if (taken !== undefined) throw twice(`this registry has a metric ${taken} of somebody else; give another prefix`)
  const made = make()
  byPrefix.set(prefix, made)
  return made
}

module.exports = { observeWithProm }
