'use strict'

// Nodes from environment variables: QUORLOCK_NODES, or else REDIS_NODE1_HOST, REDIS_NODE1_PORT, and so on. Error texts
// name the variable. An empty variable counts as not set, since that is what compose files make of missing ones.

const { wrongType, wrongValue, described, show } = require('./invalid')
const { MAX_NODES, parseNodes } = require('./nodes')

/** @returns {string | object[]} what goes into `options.nodes`, already checked under the names of the variables */
function nodesFromEnv(env) {
  if (env === null || typeof env !== 'object') throw wrongType('env', 'be an object like process.env', env)
  return fromList(env) ?? fromNumbered(env) ?? nothing()
}

function fromList(env) {
  const list = read(env, 'QUORLOCK_NODES')?.trim()
  if (list === undefined) return undefined
  const urls = list.split(',').map((url) => url.trim())
  const blank = urls.indexOf('')
  if (blank !== -1) {
    const given = `nothing at place ${blank + 1} of ${urls.length}`
    throw described(TypeError, 'ERR_INVALID_ARG_VALUE', 'QUORLOCK_NODES', 'be URLs separated by commas', given)
  }
  const nodes = urls.length === 1 ? urls[0] : urls
  parseNodes(nodes, 'QUORLOCK_NODES', (i) => `QUORLOCK_NODES (URL ${i + 1})`)
  return nodes
}

function fromNumbered(env) {
  const nodes = []
  const password = read(env, 'REDIS_PASSWORD')
  for (let n = 1; n <= MAX_NODES; n += 1) {
    const host = read(env, `REDIS_NODE${n}_HOST`)?.trim()
    const port = read(env, `REDIS_NODE${n}_PORT`)?.trim()
    if (host === undefined) {
      if (port !== undefined) throw unset(`REDIS_NODE${n}_HOST`, `REDIS_NODE${n}_PORT`)
      continue
    }
    if (nodes.length < n - 1) throw unset(`REDIS_NODE${nodes.length + 1}_HOST`, `REDIS_NODE${n}_HOST`)
    const node = { host, port: port === undefined ? 6379 : portOf(`REDIS_NODE${n}_PORT`, port) }
    if (password !== undefined) node.password = password
    nodes.push(node)
  }
  if (nodes.length === 0) return undefined
  parseNodes(nodes, 'REDIS_NODE*', (i) => `REDIS_NODE${i + 1}_HOST`)
  return nodes
}

function portOf(name, text) {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (port < 1 || port > 65_535) throw wrongValue(name, 'be a port between 1 and 65535', text)
  return port
}

const read = (env, name) => {
  const value = env[name]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string') throw wrongType(name, 'be a string', value)
  return value.trim() === '' ? undefined : value
}

/** A gap is a forgotten variable: with it, this process would count votes of other nodes than its peers do. */
const unset = (name, because) =>
  described(TypeError, 'ERR_INVALID_ARG_VALUE', name, `be set, since ${because} is`, show(undefined))

function nothing() {
  const wanted = "be URLs separated by commas, or 'memory' (or set REDIS_NODE1_HOST, REDIS_NODE1_PORT, and so on)"
  throw wrongType('QUORLOCK_NODES', wanted, undefined)
}

module.exports = { nodesFromEnv }
