'use strict'

// A TCP proxy in this process, in front of one server. Faults are set per direction, for the connections that exist
// and for those to come, until they are taken back:
//
//   const proxy = await TcpProxy.start(server.port)
//   proxy.toServer.swallow()          // requests are lost, the connection stays open (partition, one way)
//   proxy.toClient.hold()             // replies are kept back ... proxy.toClient.pass() delivers them
//   proxy.toClient.delay(50)          // every chunk arrives 50 ms later, in order
//   proxy.toClient.jitter(5, 50)      // each one 5 to 50 ms later, in order: nothing overtakes
//   proxy.toClient.limit(20_000)      // so many bytes a second, of all connections together
//   proxy.toClient.slice(1)           // one byte at a time
//   proxy.toClient.corrupt(fn)        // each chunk is replaced by fn(chunk), null drops it
//   proxy.halfOpen()                  // both directions swallowed, no FIN: the peer vanished
//   proxy.vanish()                    // the same for the connections that exist; new ones work, as after a failover
//   proxy.reset()                     // RST on every connection
//   proxy.refuse() / proxy.accept()   // connection refused / back again, on the same port
//   proxy.loseReply('SET')            // the next request with these bytes reaches the server, its reply never arrives
//   proxy.duplicate('SET')            // the next request with these bytes arrives a second time, on a new connection

const net = require('node:net')
const { once } = require('node:events')
const { Direction } = require('./direction')
const { freePort } = require('./ports')

/** RST, unless the socket is being shut down already: Node then loses the handle, and the process would never end. */
function abruptly(socket) {
  if (socket.writableEnded) socket.destroy()
  else socket.resetAndDestroy()
}

class TcpProxy {
  #server
  #pairs = new Set()
  #once = []

  constructor(port, target) {
    this.port = port
    this.target = target
    this.toServer = new Direction()
    this.toClient = new Direction()
    /** Connections accepted since the start. */
    this.accepted = 0
    /** Bytes the clients sent, whatever happened to them. */
    this.received = 0
  }

  /** In front of 127.0.0.1:`target`, or of the unix socket with that path. */
  static async start(target) {
    for (;;) {
      const proxy = new TcpProxy(await freePort(), target)
      try {
        await proxy.accept()
        return proxy
      } catch (error) {
        // Somebody else took the port in the meantime: the next one.
        if (error.code !== 'EADDRINUSE') throw error
      }
    }
  }

  get url() {
    return `redis://127.0.0.1:${this.port}`
  }

  get connections() {
    return this.#pairs.size
  }

  /** Listens (again) on the port of this proxy. */
  async accept() {
    if (this.#server) return
    const server = net.createServer({ noDelay: true }, (client) => this.#join(client))
    server.listen({ port: this.port, host: '127.0.0.1' })
    await once(server, 'listening')
    this.#server = server.unref()
  }

  /** New connections are refused by the kernel, existing ones are reset. */
  async refuse() {
    const server = this.#server
    this.#server = undefined
    server?.close()
    this.reset()
    if (server) await once(server, 'close')
  }

  reset() {
    this.#resetIf(() => true)
  }

  #resetIf(chosen) {
    for (const pair of this.#pairs) {
      if (!chosen(pair)) continue
      abruptly(pair.client)
      pair.upstream.destroy()
    }
  }

  halfOpen() {
    this.toServer.swallow()
    this.toClient.swallow()
  }

  vanish() {
    for (const pair of this.#pairs) pair.isGone = true
  }

  /**
   * Takes every fault of both directions back. A connection that has lost bytes is at an end: TCP never goes on behind
   * a gap, so it is reset.
   */
  heal() {
    this.#resetIf((pair) => pair.gap)
    this.toServer.pass()
    this.toClient.pass()
    this.#once = []
  }

  /**
   * The next request that contains `bytes` is executed by the server, then its connection is reset before the reply
   * gets through. Resolves when that has happened.
   */
  loseReply(bytes) {
    return new Promise((resolve) => {
      this.#once.push({
        bytes,
        act: (pair) => {
          pair.lose = resolve
        },
      })
    })
  }

  /** The next request that contains `bytes` also arrives over a second connection, `after` ms later. Resolves then. */
  duplicate(bytes, after = 0) {
    return new Promise((resolve) => {
      this.#once.push({
        bytes,
        act: (_pair, chunk) => {
          setTimeout(() => {
            const again = this.#connect()
            again.on('error', () => {})
            again.once('data', () => {
              again.destroy()
              resolve()
            })
            again.write(chunk)
          }, after)
        },
      })
    })
  }

  #connect(options) {
    const isPath = typeof this.target === 'string'
    return net.connect({ ...options, ...(isPath ? { path: this.target } : { port: this.target, host: '127.0.0.1' }) })
  }

  #join(client) {
    this.accepted += 1
    const upstream = this.#connect({ noDelay: true })
    const pair = { client, upstream, lose: undefined, gap: false, isGone: false }
    const lost = () => {
      pair.gap = true
    }
    this.#pairs.add(pair)
    client.on('data', (chunk) => {
      this.received += chunk.length
      if (pair.isGone) return lost()
      const fault = this.#once.findIndex((entry) => chunk.includes(entry.bytes))
      if (fault >= 0) this.#once.splice(fault, 1)[0].act(pair, chunk)
      this.toServer.take(chunk, (bytes) => upstream.writable && upstream.write(bytes), lost)
    })
    upstream.on('data', (chunk) => {
      if (pair.isGone) return lost()
      if (pair.lose) {
        abruptly(client)
        upstream.destroy()
        pair.lose()
        return
      }
      this.toClient.take(chunk, (bytes) => client.writable && client.write(bytes), lost)
    })
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ]) {
      one.on('error', () => {})
      one.on('end', () => {
        if (!pair.isGone && this.toServer.mode !== 'swallow' && this.toClient.mode !== 'swallow') other.end()
      })
      one.on('close', () => {
        if (one === upstream && pair.isGone) return // the client is not told, and stop() must find it
        this.#pairs.delete(pair)
        if (one === client) upstream.destroy()
        else if (this.toClient.mode === 'pass') client.destroy()
      })
    }
  }

  /** Ends the proxy and all its connections. */
  async stop() {
    await this.refuse()
  }
}

module.exports = { TcpProxy }
