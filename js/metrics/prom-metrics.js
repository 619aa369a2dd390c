'use strict'

// The metrics of one prom-client registry under one prefix, shared by all observations there.

const { LOST_REASONS } = require('../failure')
const { recorded, sampled } = require('./figures')

const ACQUIRE_OUTCOMES = ['acquired', 'degraded', 'contended', 'unavailable', 'aborted', 'closed']

const namesUnder = (prefix) => [...Object.values(recorded), ...sampled].map(({ prom }) => `${prefix}${prom}`)

class PromMetrics {
  targets = new Map() // instance -> its name
  buckets
  #register
  #metrics = {} // those that are recorded, by figure
  #all = []

  constructor(client, register, prefix, buckets) {
    this.#register = register
    this.buckets = buckets
    try {
      this.#make(client, prefix)
    } catch (error) {
      this.remove() // what a client has made before it throws would be in the way of the next observation
      throw error
    }
  }

  #make(client, prefix) {
    const registers = [this.#register]
    const make = (Kind, { prom, help }, rest) => {
      const metric = new Kind({ name: `${prefix}${prom}`, help, registers, ...rest })
      this.#all.push(metric)
      return metric
    }
    for (const [name, figure] of Object.entries(recorded)) {
      const rest = figure.kind === 'Histogram' ? { buckets: this.buckets[name] } : {}
      this.#metrics[name] = make(client[figure.kind], figure, { labelNames: figure.labels, ...rest })
    }
    const { targets } = this
    for (const figure of sampled) {
      make(figure.kind === 'Counter' ? client.Counter : client.Gauge, figure, {
        labelNames: ['redlock', ...(figure.labels ?? [])],
        collect() {
          this.reset()
          for (const [redlock, name] of targets) {
            for (const [labels, value] of figure.values(redlock.stats())) this.inc({ redlock: name, ...labels }, value)
          }
        },
      })
    }
  }

  add(figure, labels, value) {
    const metric = this.#metrics[figure]
    if (recorded[figure].kind === 'Histogram') metric.observe(labels, value)
    else metric.inc(labels, value)
  }

  /** Series that exist from the start: one that first appears with its first event shows no increase by it. */
  zero(redlock) {
    for (const outcome of ACQUIRE_OUTCOMES) this.#metrics.acquire.zero({ redlock, outcome })
    for (const reason of LOST_REASONS) this.#metrics.lost.inc({ redlock, reason }, 0)
  }

  /** Whether the registry still has them: it may have been cleared meanwhile. */
  get areKept() {
    return this.#all.every((metric) => this.#register.getSingleMetric(metric.name) === metric)
  }

  remove() {
    for (const metric of this.#all) {
      if (this.#register.getSingleMetric(metric.name) === metric) this.#register.removeSingleMetric(metric.name)
    }
  }
}

module.exports = { PromMetrics, namesUnder }
