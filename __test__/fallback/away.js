'use strict'

// Nodes that nobody can reach, and providers to fall back to.

const { freePort } = require('../support/ports')
const { open } = require('../support/quorlock')
const { until } = require('../support/until')

/** Three addresses where nobody listens. */
async function nowhere() {
  const ports = await Promise.all([freePort(), freePort(), freePort()])
  return ports.map((port) => `redis://127.0.0.1:${port}`)
}

/** A Redlock that cannot reach its nodes, and knows it. */
async function cutOff(t, options = {}) {
  const redlock = open(t, await nowhere(), { fallback: 'local', fallbackAfter: 0, ...options })
  await until(() => redlock.stats().nodes.every(({ state }) => state === 'down'), { what: 'every node is down' })
  return redlock
}

/** Only what the interface LockProvider asks for, over the given provider. */
const onlyInterface = (provider) => ({
  createLock: (...args) => provider.createLock(...args),
  withLock: (...args) => provider.withLock(...args),
})

/** The events `degraded` of a Redlock, as they come. */
function changesOf(redlock) {
  const changes = []
  redlock.on('degraded', (event) => changes.push(event))
  return changes
}

module.exports = { nowhere, cutOff, onlyInterface, changesOf }
