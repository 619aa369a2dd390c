'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { parseTls } = require('../../js/tls')
const { refuses } = require('./support/refuses')

const block = (kind) => `-----BEGIN ${kind}-----\nczNjcmV0\n-----END ${kind}-----\n`
const cert = block('CERTIFICATE')
const key = block('PRIVATE KEY')

test('true, and nothing special', () => {
  assert.deepEqual(parseTls('tls', true), { rejectUnauthorized: true })
  assert.deepEqual(parseTls('tls', {}), { rejectUnauthorized: true })
  assert.deepEqual(parseTls('tls', { ca: undefined, rejectUnauthorized: false }), { rejectUnauthorized: false })
})

test('PEM as text or bytes, several authorities', () => {
  const bytes = Buffer.from(cert)
  assert.deepEqual(parseTls('tls', { ca: bytes }), { rejectUnauthorized: true, ca: cert })
  assert.deepEqual(parseTls('tls', { ca: new Uint8Array(bytes) }).ca, cert)
  assert.deepEqual(parseTls('tls', { ca: [cert, bytes] }).ca, `${cert}\n${cert}`)
  for (const kind of ['PRIVATE KEY', 'RSA PRIVATE KEY', 'EC PRIVATE KEY']) {
    const pair = parseTls('tls', { cert, key: block(kind), servername: 'redis-1' })
    assert.deepEqual(pair, { rejectUnauthorized: true, cert, key: block(kind), servername: 'redis-1' })
  }
})

const pem = (kind) => `be PEM text ("-----BEGIN ... ${kind}-----"), as a string or Buffer`

for (const [value, code, message] of [
  [false, 'TYPE', 'tls must be true or an object (leave it out for a connection without TLS); got false'],
  ['yes', 'TYPE', 'tls must be true or an object (leave it out for a connection without TLS); got "yes"'],
  [{ CA: cert }, 'VALUE', 'tls must only have the names ca, cert, key, servername, rejectUnauthorized; got "CA"'],
  [{ ca: 'file.pem' }, 'VALUE', `tls.ca must ${pem('CERTIFICATE')}; got a string without such a block`],
  [{ ca: key }, 'VALUE', `tls.ca must ${pem('CERTIFICATE')}; got a string without such a block`],
  [{ ca: 7 }, 'TYPE', `tls.ca must ${pem('CERTIFICATE')}; got 7`],
  [{ ca: [] }, 'VALUE', 'tls.ca must have at least one certificate; got an empty array'],
  [{ ca: [cert, null] }, 'TYPE', `tls.ca[1] must ${pem('CERTIFICATE')}; got null`],
  [{ cert }, 'VALUE', 'tls must have a key when it has a cert; got an object'],
  [{ key }, 'VALUE', 'tls must have a cert when it has a key; got an object'],
  [{ cert, key: cert }, 'VALUE', `tls.key must ${pem('PRIVATE KEY')}; got a string without such a block`],
  [
    { cert, key: block('ENCRYPTED PRIVATE KEY') },
    'VALUE',
    'tls.key must be a private key without passphrase; got an encrypted one',
  ],
  [{ servername: 'a:1' }, 'VALUE', 'tls.servername must be a host name; got "a:1"'],
  [{ servername: '' }, 'VALUE', 'tls.servername must be a host name; got ""'],
  [{ servername: 7 }, 'TYPE', 'tls.servername must be a host name; got 7'],
  [{ rejectUnauthorized: 0 }, 'TYPE', 'tls.rejectUnauthorized must be true or false; got 0'],
]) {
  test(`refused: ${message}`, () => refuses(() => parseTls('tls', value), `ERR_INVALID_ARG_${code}`, message))
}
