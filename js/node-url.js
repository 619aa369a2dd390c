'use strict'

// One node's address as text: redis:// rediss:// valkey:// valkeys:// unix:// redis+unix://, becoming the same fields
// as the object form. Error texts show the address redacted.

const { described, redact, shorten } = require('./invalid')

const TCP = new Map([
  ['redis:', { tls: false }],
  ['valkey:', { tls: false }],
  ['rediss:', { tls: true }],
  ['valkeys:', { tls: true }],
])

const FORMS = 'redis:// rediss:// valkey:// valkeys:// unix:// redis+unix://'

const UNIX = /^(?:redis\+)?unix:\/\/(?:([^@/]*)@)?([^?#]*)(?:\?([^#]*))?(#.*)?$/is

/** @returns {{ host?: string, port?: number, path?: string, username?: string, password?: string, db?: number, tls: boolean }} */
function parseUrl(name, text) {
  const fail = (wanted) => described(TypeError, 'ERR_INVALID_ARG_VALUE', name, wanted, quote(text))
  const unix = UNIX.exec(text)
  return unix === null ? parseTcp(text, fail) : parseUnix(unix, fail)
}

function parseTcp(text, fail) {
  const url = parseOrNull(text)
  if (url === null) throw fail(`be a URL (${FORMS}) or 'memory'`)
  const scheme = TCP.get(url.protocol)
  if (scheme === undefined) throw fail(`have one of the schemes ${FORMS}`)
  if (url.hostname === '') throw fail('name a host')
  if (url.hash !== '') throw fail('have no fragment (percent-encode "#" as %23)')

  const fields = { host: decode(url.hostname, fail), tls: scheme.tls }
  if (url.port !== '') {
    fields.port = Number(url.port)
    if (fields.port === 0) throw fail('have a port between 1 and 65535')
  }
  if (url.username !== '') fields.username = decode(url.username, fail)
  if (url.password !== '') fields.password = decode(url.password, fail)
  const db = query(url.search, fail)
  const path = url.pathname.replace(/^\//, '')
  if (path !== '' && !/^\d+$/.test(path)) throw fail('have a database number as its path, like redis://host:6379/2')
  if (path !== '' && db !== undefined) throw fail('give the database once, as path or as ?db=')
  if (path !== '') fields.db = Number(path)
  else if (db !== undefined) fields.db = db
  return fields
}

function parseUnix([, credentials, path, search, hash], fail) {
  if (!path.startsWith('/') || path === '/') throw fail('name an absolute socket path, like unix:///run/redis.sock')
  if (hash !== undefined) throw fail('have no fragment (percent-encode "#" as %23)')
  const fields = { path: decode(path, fail), tls: false }
  if (credentials !== undefined) {
    const colon = credentials.indexOf(':')
    const username = colon === -1 ? credentials : credentials.slice(0, colon)
    if (username !== '') fields.username = decode(username, fail)
    if (colon !== -1 && colon < credentials.length - 1) fields.password = decode(credentials.slice(colon + 1), fail)
  }
  const db = query(search ?? '', fail)
  if (db !== undefined) fields.db = db
  return fields
}

/** Only `?db=` is known: what we would ignore in silence could be what keeps somebody's locks apart. */
function query(search, fail) {
  let db
  for (const [key, value] of new URLSearchParams(search)) {
    if (key !== 'db') throw fail('have no query parameter but db')
    if (db !== undefined) throw fail('give the database once')
    if (!/^\d+$/.test(value)) throw fail('have a database number as its db')
    db = Number(value)
  }
  return db
}

function parseOrNull(text) {
  try {
    return new URL(text)
  } catch {
    return null
  }
}

function decode(text, fail) {
  try {
    return decodeURIComponent(text)
  } catch {
    throw fail('be percent-encoded correctly')
  }
}

const quote = (text) => JSON.stringify(shorten(redact(text)))

module.exports = { parseUrl }
