'use strict'

// What `stats()` and `inspect()` show: native numbers with the names of the nodes.

function statsOf(native, { names, native: { quorum } }, unreleased, layers) {
  const { held, waiting, acquired, contended, timedOut, aborted, lost, extended, renewedLate, released } = native
  const nodes = native.nodes.map(({ state, code, message, p50, p99 }, i) => {
    const node = { name: names[i], state, rtt: { p50, p99 } }
    if (code != null || message != null) node.error = [code, message].filter(Boolean).join(' ')
    return node
  })
  const now = { held: held + (layers?.held ?? 0), waiting: waiting + (layers?.waiting ?? 0) }
  const calls = { ...now, acquired, contended, timedOut, aborted }
  const locks = { lost, extended, renewedLate, released, unreleased }
  const stats = { ...calls, ...locks, degraded: layers?.degraded === true, quorum, nodes }
  if (layers?.breaker !== undefined) stats.breaker = layers.breaker
  return stats
}

/** After close() the numbers stay readable. */
const closedStats = (stats) => ({
  ...stats,
  held: 0,
  waiting: 0,
  nodes: stats.nodes.map(({ name, rtt }) => ({ name, state: 'closed', rtt })),
})

function inspectionsOf(inspections, names) {
  return inspections.map(({ node, held, id, remaining, error }) => {
    const made = { node: names[node], held }
    if (id != null) made.id = id
    if (remaining != null) made.remaining = remaining
    if (error != null) made.error = error
    return made
  })
}

module.exports = { statsOf, closedStats, inspectionsOf }
