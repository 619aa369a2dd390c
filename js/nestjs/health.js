'use strict'

// For @nestjs/terminus: how many of the nodes answer, and are no replicas and not in quarantine. Every node is read from once, by a
// key that nobody has. Nothing is written, so that who refuses to write is not found out.

const { Inject, Injectable } = require('@nestjs/common')
const { ModuleRef } = require('@nestjs/core')
const { HealthIndicatorService } = require('@nestjs/terminus')
const { getRedlockToken } = require('./tokens')

const PROBE = 'quorlock-health'

class RedlockHealthIndicator {
  #indicators
  #modules

  constructor(indicators, modules) {
    this.#indicators = indicators
    this.#modules = modules
  }

  async isHealthy(key = 'redlock', { name, redlock, probe = PROBE } = {}) {
    const indicator = this.#indicators.check(key)
    const asked = redlock ?? this.#modules.get(getRedlockToken(name), { strict: false })
    let nodes
    try {
      nodes = nodesOf(await asked.inspect(probe), asked.stats())
    } catch (error) {
      return indicator.down({ message: error.code ?? error.message }) // closing, for the most part
    }
    const voting = Object.values(nodes).filter((state) => state === 'up').length
    const total = Object.keys(nodes).length
    const detail = { voting, quorum: asked.stats().quorum, nodes }
    if (voting < detail.quorum) return indicator.down(detail)
    if (voting === total) return indicator.up(detail)
    return typeof indicator.degraded === 'function'
      ? indicator.degraded(detail)
      : indicator.up({ ...detail, degraded: true })
  }
}

Injectable()(RedlockHealthIndicator)
Inject(HealthIndicatorService)(RedlockHealthIndicator, undefined, 0)
Inject(ModuleRef)(RedlockHealthIndicator, undefined, 1)

/** A node that answers may still not vote, since it has restarted lately. Reasons have no place in a public answer. */
function nodesOf(inspections, { nodes }) {
  return Object.fromEntries(
    inspections.map(({ node, error }, i) => {
      if (nodes[i].state === 'quarantined') return [node, 'quarantined']
      return [node, error === undefined ? 'up' : 'down']
    }),
  )
}

module.exports = { RedlockHealthIndicator }
