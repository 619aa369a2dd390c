'use strict'

// Three servers, each with a wall clock of its own.

const { Clock } = require('./clock-shim')
const { Cluster } = require('./cluster')
const { RedisServer } = require('./redis-server')

async function clockedServers(t) {
  const clocks = [new Clock(), new Clock(), new Clock()]
  const cluster = new Cluster(await Promise.all(clocks.map(({ env }) => RedisServer.start({ env }))))
  t.after(async () => {
    await cluster.stop()
    for (const clock of clocks) clock.stop()
  })
  return { cluster, clocks }
}

module.exports = { clockedServers }
