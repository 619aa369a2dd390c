'use strict'

// The `tls` of a node: `true`, or PEM texts. Becomes plain strings for native code.

const { wrongType, wrongValue, described, showType } = require('./invalid')
const { plainObject, onlyKnown, flag } = require('./argument')

const NAMES = ['ca', 'cert', 'key', 'servername', 'rejectUnauthorized']

/** @returns {{ ca?: string, cert?: string, key?: string, servername?: string, rejectUnauthorized: boolean }} */
function parseTls(name, value) {
  if (value === true) return { rejectUnauthorized: true }
  plainObject(name, value, 'be true or an object (leave it out for a connection without TLS)')
  onlyKnown(name, value, NAMES)

  const tls = { rejectUnauthorized: true }
  if (value.rejectUnauthorized !== undefined) {
    tls.rejectUnauthorized = flag(`${name}.rejectUnauthorized`, value.rejectUnauthorized)
  }
  if (value.servername !== undefined) tls.servername = serverName(`${name}.servername`, value.servername)
  if (value.ca !== undefined) tls.ca = certificates(`${name}.ca`, value.ca)
  if (value.cert !== undefined) tls.cert = pem(`${name}.cert`, value.cert, 'CERTIFICATE')
  if (value.key !== undefined) tls.key = privateKey(`${name}.key`, value.key)
  if (tls.cert !== undefined && tls.key === undefined) throw wrongValue(name, 'have a key when it has a cert', value)
  if (tls.key !== undefined && tls.cert === undefined) throw wrongValue(name, 'have a cert when it has a key', value)
  return tls
}

function serverName(name, value) {
  if (typeof value !== 'string') throw wrongType(name, 'be a host name', value)
  if (!/^[^\s/:@]+$/.test(value)) throw wrongValue(name, 'be a host name', value)
  return value
}

function certificates(name, value) {
  if (!Array.isArray(value)) return pem(name, value, 'CERTIFICATE')
  if (value.length === 0) throw wrongValue(name, 'have at least one certificate', value)
  return value.map((one, i) => pem(`${name}[${i}]`, one, 'CERTIFICATE')).join('\n')
}

function privateKey(name, value) {
  const text = pem(name, value, 'PRIVATE KEY')
  if (text.includes('ENCRYPTED')) {
    throw described(TypeError, 'ERR_INVALID_ARG_VALUE', name, 'be a private key without passphrase', 'an encrypted one')
  }
  return text
}

/** Says only the type of what was given: the text may be a private key. */
function pem(name, value, kind) {
  const wanted = `be PEM text ("-----BEGIN ... ${kind}-----"), as a string or Buffer`
  if (typeof value !== 'string' && !ArrayBuffer.isView(value)) throw wrongType(name, wanted, value)
  const text = typeof value === 'string' ? value : bytesOf(value).toString('utf8')
  if (!new RegExp(`-----BEGIN [A-Z0-9 ]*${kind}-----`).test(text)) {
    const given = `${showType(value)} without such a block`
    throw described(TypeError, 'ERR_INVALID_ARG_VALUE', name, wanted, given)
  }
  return text
}

const bytesOf = (view) => Buffer.from(view.buffer, view.byteOffset, view.byteLength)

module.exports = { parseTls }
