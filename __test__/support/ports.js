'use strict'

// Free TCP ports below the range from which the kernel takes the local ports of outgoing connections: a port of that
// range could be taken by any client between the end of a server and its restart on the same port.

const net = require('node:net')

const FIRST = 12_000
const LAST = 31_999
const given = new Set()

// Each process that asks has a part of the range to itself: a port on which its server is down at the moment, or on
// which nobody shall listen, looks free to everybody else.
const PARTS = 20
const SIZE = (LAST - FIRST + 1) / PARTS
const FIRST_GUARD = FIRST - PARTS

/** A server that listens on `port`, or undefined when somebody else does. */
function listen(port) {
  return new Promise((resolve) => {
    const server = net.createServer()
    server.once('error', () => resolve(undefined))
    server.listen({ port, host: '127.0.0.1' }, () => resolve(server))
  })
}

async function isFree(port) {
  const probe = await listen(port)
  if (!probe) return false
  await new Promise((resolve) => probe.close(resolve))
  return true
}

let base
/** The first port of our part. Whoever listens on its guard owns it; the kernel gives it back when the process ends. */
async function claimPart() {
  for (let i = 0; i < PARTS; i++) {
    const part = (process.pid + i) % PARTS
    const guard = await listen(FIRST_GUARD + part)
    if (guard) {
      guard.unref()
      return FIRST + part * SIZE
    }
  }
  throw new Error(`${PARTS} processes use the ports from ${FIRST} to ${LAST} already`)
}

/** A port nobody listens on, never given twice by this process. */
async function freePort() {
  base ??= claimPart()
  const from = await base
  for (let tries = 0; tries < 10 * SIZE; tries++) {
    const port = from + Math.floor(Math.random() * SIZE)
    if (given.has(port)) continue
    if (await isFree(port)) {
      given.add(port)
      return port
    }
  }
  throw new Error(`no free port found between ${from} and ${from + SIZE - 1}`)
}

module.exports = { freePort }
