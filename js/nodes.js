'use strict'

// `options.nodes`: what the user wrote, becoming what native code connects to, the names nodes have in errors and
// statistics, and the `scope`: which locks exclude each other.

const { isIPv6 } = require('node:net')
const { normalize } = require('node:path/posix')
const { wrongType, wrongValue, outOfRange, described, redact, show, showType } = require('./invalid')
const { plainObject, onlyKnown, integer } = require('./argument')
const { parseUrl } = require('./node-url')
const { parseTls } = require('./tls')

const MAX_NODES = 15
const MAX_DB = 65_535
const MAX_NAME_CHARS = 128
const DEFAULT_PORT = 6379

const NAMES = ['url', 'host', 'port', 'path', 'username', 'password', 'db', 'tls', 'name']

const WANTED =
  "be 'memory', a URL like redis://host:6379, or an array of URLs or objects like { host, port } (there is no default: " +
  'each server that shares a lock must name the same nodes)'

/**
 * @returns {{ natives: object[], names: string[], passwords: (Function | null)[], addresses: string[] }} one entry per
 * node, in the order given. `where(i)` names the i-th node in error texts, `all` the whole option.
 */
function parseNodes(nodes, all = 'nodes', where = (i) => `${all}[${i}]`) {
  const list = typeof nodes === 'string' ? [nodes] : nodes
  if (!Array.isArray(list)) throw wrongType(all, WANTED, nodes)
  if (list.length === 0 || nodes === '') throw wrongValue(all, WANTED, nodes)
  if (list.length > MAX_NODES) throw outOfRange(all, `have at most ${MAX_NODES} nodes`, nodes)

  const nameOf = typeof nodes === 'string' ? () => all : where
  const parsed = list.map((node, i) => parseNode(nameOf(i), node))
  if (parsed.length > 1) refuseMemory(parsed, nameOf)
  refuseRepetition(parsed, nameOf)
  return {
    natives: parsed.map(({ native }) => native),
    names: distinct(parsed.map(({ name }) => name)),
    passwords: parsed.map(({ ask }) => ask),
    addresses: parsed.map(({ address }) => address),
  }
}

function parseNode(where, node) {
  if (typeof node === 'string') return isMemory(node) ? memoryNode(where, node) : finish(where, parseUrl(where, node))
  plainObject(where, node, 'be a URL or an object like { host, port }')
  onlyKnown(where, node, NAMES)
  const fields = node.url === undefined ? fieldsOf(where, node) : fieldsOfUrl(where, node)
  return finish(where, withCredentials(where, fields, node), node)
}

const isMemory = (text) => text === 'memory' || text.startsWith('memory:')

function memoryNode(where, text) {
  const name = text.slice('memory:'.length)
  if (text !== 'memory' && name === '') throw wrongValue(where, "have a name after 'memory:'", text)
  checkName(where, text)
  return { native: { memory: name }, name: text, ask: null, address: text, memory: true }
}

function fieldsOf(where, node) {
  if (node.path !== undefined) {
    if (node.host !== undefined || node.port !== undefined) {
      throw wrongValue(where, 'have either a path or a host and port, not both', node)
    }
    return { path: text(`${where}.path`, node.path, 'be an absolute socket path') }
  }
  const host = text(`${where}.host`, node.host, 'be a host name or address')
  const port = node.port === undefined ? undefined : integer(`${where}.port`, node.port, 1, 65_535, { unit: '' })
  return { host, port }
}

function fieldsOfUrl(where, node) {
  for (const name of ['host', 'port', 'path']) {
    if (node[name] !== undefined) throw wrongValue(where, `have either a url or a ${name}, not both`, node)
  }
  if (typeof node.url !== 'string') throw wrongType(`${where}.url`, 'be a URL like redis://host:6379', node.url)
  if (isMemory(node.url)) throw wrongValue(`${where}.url`, "be a URL ('memory' stands alone, as a string)", node.url)
  const fields = parseUrl(`${where}.url`, node.url)
  for (const name of ['username', 'password', 'db']) {
    if (node[name] !== undefined && fields[name] !== undefined) {
      throw wrongValue(where, `have its ${name} once, in the url or beside it`, node)
    }
  }
  return fields
}

function withCredentials(where, fields, node) {
  const made = { ...fields }
  if (node.username !== undefined) made.username = text(`${where}.username`, node.username, 'be a user name')
  if (node.password !== undefined) made.password = password(`${where}.password`, node.password)
  if (node.db !== undefined) made.db = node.db
  return made
}

/** Common to URLs and objects: limits, TLS, and what native code is given. */
function finish(where, { host, port = DEFAULT_PORT, path, username, password: secret, db = 0, tls }, node = {}) {
  const native = {}
  if (path === undefined) {
    native.host = hostName(where, host)
    native.port = port
  } else {
    if (!path.startsWith('/') || path.includes('\0'))
      throw wrongValue(where, 'name an absolute socket path', redact(path))
    native.path = normalize(path)
  }
  native.db = integer(`${where}.db`, db, 0, MAX_DB, { unit: '' })

  if (username !== undefined) {
    if (secret === undefined) throw wrongValue(where, 'have a password when it has a username', node.url ?? 'none')
    native.username = username
  }
  if (typeof secret === 'string') native.password = secret
  if (typeof secret === 'function') native.askPassword = true

  if (node.tls !== undefined) {
    if (path !== undefined) throw wrongValue(`${where}.tls`, 'be absent for a socket path', node.tls)
    const options = parseTls(`${where}.tls`, node.tls)
    if (tls === false)
      throw wrongValue(`${where}.tls`, 'be absent for redis:// and valkey:// (use rediss://)', node.tls)
    native.tls = options
  } else if (tls === true) {
    native.tls = parseTls(`${where}.tls`, true)
  }

  const place =
    path === undefined ? (isIPv6(native.host) ? `[${native.host}]:${port}` : `${native.host}:${port}`) : native.path
  return {
    native,
    name: node.name === undefined ? place : checkName(`${where}.name`, node.name),
    ask: typeof secret === 'function' ? secret : null,
    address: `${path === undefined ? place.toLowerCase() : `unix:${place}`}/${native.db}`,
  }
}

/** IPv6 in its shortest form and without brackets, so that one address is written in one way. */
function hostName(where, host) {
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host
  if (isIPv6(bare)) return bare.includes('%') ? bare : new URL(`http://[${bare}]/`).hostname.slice(1, -1)
  if (!/^[^\s/:@?#[\]\\]+$/.test(host)) {
    const wanted = 'have a host name or address without scheme, port or password'
    throw described(TypeError, 'ERR_INVALID_ARG_VALUE', where, wanted, show(host.replace(/^.*@/s, '***@')))
  }
  return host
}

function password(name, value) {
  if (typeof value === 'function') return value
  if (typeof value === 'string' && value !== '') return value
  const given = value === '' ? 'an empty string' : showType(value)
  throw described(
    TypeError,
    'ERR_INVALID_ARG_TYPE',
    name,
    'be a non-empty string or a function that returns one',
    given,
  )
}

function text(name, value, wanted) {
  if (typeof value !== 'string') throw wrongType(name, wanted, value)
  if (value === '') throw wrongValue(name, wanted, value)
  return value
}

function checkName(name, value) {
  if (typeof value !== 'string') throw wrongType(name, `be a string of 1 to ${MAX_NAME_CHARS} characters`, value)
  if (value === '' || value.length > MAX_NAME_CHARS || /\p{Cc}/u.test(value) || !value.isWellFormed()) {
    throw wrongValue(name, `be a string of 1 to ${MAX_NAME_CHARS} printable characters`, value)
  }
  return value
}

function refuseMemory(parsed, where) {
  const at = parsed.findIndex(({ memory }) => memory)
  if (at !== -1) throw wrongValue(where(at), "be a URL or an object: 'memory' stands alone", parsed[at].name)
}

function refuseRepetition(parsed, where) {
  const seen = new Map()
  parsed.forEach(({ address }, i) => {
    const first = seen.get(address)
    if (first !== undefined) {
      throw outOfRange(where(i), `differ from ${where(first)} in host, port or db (a server votes once)`, address)
    }
    seen.set(address, i)
  })
}

/** `a`, `a`, `b` -> `a`, `a#2`, `b` */
function distinct(names) {
  const taken = new Set(names)
  const seen = new Set()
  return names.map((name) => {
    let unique = name
    for (let n = 2; seen.has(unique) || (unique !== name && taken.has(unique)); n += 1) unique = `${name}#${n}`
    seen.add(unique)
    return unique
  })
}

module.exports = { parseNodes, MAX_NODES }
