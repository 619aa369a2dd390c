'use strict'

// observeWithOpenTelemetry: figures of instruments that the user's meter makes. Nothing of OpenTelemetry is loaded.

const { plainObject, onlyKnown, callback } = require('../argument')
const { wrongType } = require('../invalid')
const { parseBuckets } = require('./buckets')
const { recorded, sampled, recorderInto } = require('./figures')
const { Observation } = require('./observation')
const { parseTargets } = require('./targets')
const { refuseTwice } = require('./twice')

const NAMES = ['redlock', 'redlocks', 'meter', 'buckets', 'keyClass']
const NEEDED = [
  'createHistogram',
  'createCounter',
  ...new Set(sampled.map(({ kind }) => `createObservable${kind}`)),
  'addBatchObservableCallback',
  'removeBatchObservableCallback',
]

/** Meter -> what is observed there. */
const observed = new WeakMap()

/** @returns {{ stop(): void }} */
function observeWithOpenTelemetry(options) {
  onlyKnown('options', plainObject('options', options), NAMES)
  const targets = parseTargets(options)
  const { meter, keyClass } = options
  const isMeter = NEEDED.every((name) => typeof meter?.[name] === 'function')
  if (!isMeter) throw wrongType('meter', 'be a Meter of OpenTelemetry, like metrics.getMeter(name)', meter)
  if (keyClass !== undefined) callback('keyClass', keyClass)
  const buckets = parseBuckets(options.buckets)
  const present = observed.get(meter) ?? new Map()
  refuseTwice(present, targets, 'meter')

  // Nothing may be left of an observation whose meter throws half-way.
  const observation = new Observation(targets, keyClass, recorderInto(adder(meter, buckets)))
  const stopSampling = sample(meter, targets)
  observed.set(meter, present)
  for (const [redlock, name] of targets) present.set(redlock, name)
  observation.start()
  return {
    stop() {
      if (!observation.stop()) return
      stopSampling()
      for (const redlock of targets.keys()) present.delete(redlock)
    },
  }
}

function adder(meter, buckets) {
  const add = {}
  for (const [name, { otel, kind, unit, help }] of Object.entries(recorded)) {
    if (kind === 'Histogram') {
      const advice = { explicitBucketBoundaries: buckets[name] }
      const histogram = meter.createHistogram(otel, { unit, description: help, advice })
      add[name] = (labels, value) => histogram.record(value, attributesOf(labels))
    } else {
      const counter = meter.createCounter(otel, { unit, description: help })
      add[name] = (labels, value) => counter.add(value, attributesOf(labels))
    }
  }
  return (name, labels, value) => add[name](labels, value)
}

/** One look at `stats()` of each instance for all figures of a collection. */
function sample(meter, targets) {
  const instruments = sampled.map(({ otel, kind, unit, help }) =>
    meter[`createObservable${kind}`](otel, { unit, description: help }),
  )
  const callback = (result) => {
    for (const [redlock, name] of targets) {
      const stats = redlock.stats()
      sampled.forEach(({ values }, i) => {
        for (const [labels, value] of values(stats)) {
          result.observe(instruments[i], value, attributesOf({ redlock: name, ...labels }))
        }
      })
    }
  }
  meter.addBatchObservableCallback(callback, instruments)
  return () => meter.removeBatchObservableCallback(callback, instruments)
}

const attributesOf = (labels) =>
  Object.fromEntries(Object.entries(labels).map(([name, value]) => [`quorlock.${name}`, value]))

module.exports = { observeWithOpenTelemetry }
