'use strict'

// One contract for every kind of node. A file beside this one calls contract(name, backend) once; the parts hold the
// tests. A backend is
//   nodes     what goes into `options.nodes`
//   count     how many nodes that is
//   servers   the real servers behind it, or none for memory: only with them a test can look at keys from outside

const { describe } = require('node:test')

const parts = [
  'connect',
  'acquire',
  'with-lock',
  'extend',
  'release',
  'renewal',
  'several-keys',
  'waiting',
  'queue',
  'hand-over',
  'fencing',
  'abort',
  'reentrancy',
  'provider',
  'inspect',
  'stats',
  'close',
  'input',
  'from-env',
  'many',
]
const overServers = ['lost', 'wire']

function contract(name, makeBackend) {
  describe(`over ${name}`, () => {
    const backend = makeBackend()
    for (const part of parts) describe(part, { concurrency: true }, () => require(`./parts/${part}`)(backend))
    if (backend.servers) {
      for (const part of overServers) describe(part, { concurrency: true }, () => require(`./parts/${part}`)(backend))
    }
  })
}

module.exports = { contract }
