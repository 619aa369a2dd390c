'use strict'

// Several independent servers: what a lock over a quorum stands on.

const { before, after } = require('node:test')
const { RedisServer } = require('./redis-server')
const { TcpProxy } = require('./proxy')

class Cluster {
  constructor(servers) {
    this.servers = servers
  }

  /** Starts `count` independent servers with the same options. */
  static async start(count = 3, options = {}) {
    const started = await Promise.allSettled(Array.from({ length: count }, () => RedisServer.start(options)))
    const failed = started.find((result) => result.status === 'rejected')
    const servers = started.filter((result) => result.status === 'fulfilled').map((result) => result.value)
    if (failed) {
      await Promise.all(servers.map((server) => server.stop()))
      throw failed.reason
    }
    return new Cluster(servers)
  }

  get urls() {
    return this.servers.map((server) => server.url)
  }

  get ports() {
    return this.servers.map((server) => server.port)
  }

  /** The same command on every server; the replies in order. */
  all(...words) {
    return Promise.all(this.servers.map((server) => server.command(...words)))
  }

  /** How many servers hold `key` at this moment. */
  async holding(key) {
    const replies = await this.all('EXISTS', key)
    return replies.reduce((sum, reply) => sum + reply, 0)
  }

  async stop() {
    await Promise.all(this.servers.map((server) => server.stop()))
  }
}

/** A cluster for all tests of the file (or suite) that calls this: started before them, stopped after them. */
function useCluster(count = 3, options = {}) {
  const cluster = new Cluster([])
  before(async () => {
    cluster.servers = (await Cluster.start(count, options)).servers
  })
  after(() => cluster.stop())
  return cluster
}

/** One proxy in front of each server, for test `t`. */
async function proxies(t, cluster) {
  const started = await Promise.all(cluster.ports.map((port) => TcpProxy.start(port)))
  t.after(() => Promise.all(started.map((proxy) => proxy.stop())))
  return started
}

const urlsOf = (nodes) => nodes.map((node) => node.url)

module.exports = { Cluster, useCluster, proxies, urlsOf }
