'use strict'

// Free TCP ports below the range from which the kernel takes the local ports of outgoing connections: a port of that
// range could be taken by any client between the end of a server and its restart on the same port.

const net = require('node:net')

const FIRST = 12000
const LAST = 31999
const given = new Set()

function isFree(port) {
  return new Promise((resolve) => {
    const probe = net.createServer()
    probe.once('error', () => resolve(false))
    probe.listen({ port, host: '127.0.0.1' }, () => probe.close(() => resolve(true)))
  })
}

/** A port nobody listens on, never given twice by this process. */
async function freePort() {
  for (let tries = 0; tries < 200; tries++) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST))
    if (given.has(port)) continue
    if (await isFree(port)) {
      given.add(port)
      return port
    }
  }
  throw new Error(`no free port found between ${FIRST} and ${LAST}`)
}

module.exports = { freePort }
