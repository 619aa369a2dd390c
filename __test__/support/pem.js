'use strict'

// A certificate authority made for one test run with openssl, in a temporary folder.

const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')

/**
 * Files of an authority `ca` and what it signed: `server` (localhost, redis.test, 127.0.0.1), `named` (redis.test only),
 * `expired` and `client`; of another authority `otherCa`, which signed `stranger`. `pem(file)` reads one.
 */
function makeCertificates() {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'quorlock-tls-'))
  const file = (name) => path.join(dir, name)
  const openssl = (...args) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

  const authority = (name) => {
    const subject = ['-subj', `/CN=quorlock test ${name}`, '-addext', 'keyUsage=critical,keyCertSign,cRLSign']
    const out = ['-keyout', file(`${name}.key`), '-out', file(`${name}.crt`)]
    openssl('req', '-x509', ...newKey, '-days', '2', ...out, ...subject)
    return file(`${name}.crt`)
  }
  const leaf = (name, extensions, { by = 'ca', days = 2 } = {}) => {
    fs.writeFileSync(file(`${name}.ext`), ['basicConstraints=CA:FALSE', ...extensions].join('\n'))
    openssl('req', ...newKey, '-subj', `/CN=${name}`, '-keyout', file(`${name}.key`), '-out', file(`${name}.csr`))
    const signer = ['-CA', file(`${by}.crt`), '-CAkey', file(`${by}.key`), '-CAcreateserial', '-days', String(days)]
    const out = ['-extfile', file(`${name}.ext`), '-out', file(`${name}.crt`)]
    openssl('x509', '-req', '-in', file(`${name}.csr`), ...signer, ...out)
    return { cert: file(`${name}.crt`), key: file(`${name}.key`) }
  }

  const ca = authority('ca')
  const otherCa = authority('other')
  const forServer = (...names) => [`subjectAltName=${names.join(',')}`, 'extendedKeyUsage=serverAuth']
  const everyName = forServer('DNS:localhost', 'DNS:redis.test', 'IP:127.0.0.1')
  return {
    ca,
    otherCa,
    server: leaf('server', everyName),
    named: leaf('named', forServer('DNS:redis.test')),
    expired: leaf('expired', everyName, { days: -1 }),
    client: leaf('client', ['extendedKeyUsage=clientAuth']),
    stranger: leaf('stranger', ['extendedKeyUsage=clientAuth'], { by: 'other' }),
    remove: () => fs.rmSync(dir, { recursive: true, force: true }),
  }
}

const pem = (file) => fs.readFileSync(file, 'utf8')

module.exports = { makeCertificates, pem }
