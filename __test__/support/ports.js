'use strict'

// Free TCP ports below the range from which the kernel takes the local ports of outgoing connections: a port of that
// range could be taken by any client between the end of a server and its restart on the same port.

const net = require('node:net')

const FIRST = 12_000
const LAST = 31_999
const given = new Set()

// Test files that run at the same time look in different parts of the range, and do not take each other's ports
// between the probe and its use.
const PARTS = 40
const SIZE = (LAST - FIRST + 1) / PARTS
const BASE = FIRST + (process.pid % PARTS) * SIZE

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
    // A file that has used up its part looks everywhere.
    const [from, size] = given.size < SIZE / 2 ? [BASE, SIZE] : [FIRST, LAST - FIRST + 1]
    const port = from + Math.floor(Math.random() * size)
    if (given.has(port)) continue
    if (await isFree(port)) {
      given.add(port)
      return port
    }
  }
  throw new Error(`no free port found between ${FIRST} and ${LAST}`)
}

module.exports = { freePort }
