// Free ports below those that the kernel gives to outgoing connections: a server that is killed and started again must
// find its port free.

import { createServer } from 'node:net'

export const HOST = '127.0.0.1'
const FIRST = 12_000
const LAST = 31_999
const TRIES = 200

export async function freePort() {
  for (let tries = 0; tries < TRIES; tries++) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST + 1))
    if (await isFree(port)) return port
  }
  throw new Error(`no free port was found between ${FIRST} and ${LAST}`)
}

function isFree(port) {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, HOST, () => probe.close(() => resolve(true)))
  })
}
