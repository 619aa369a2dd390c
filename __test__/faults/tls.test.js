'use strict'

// TLS, with certificates made for this run.

const { describe, test, before, after } = require('node:test')
const assert = require('node:assert/strict')
const { makeCertificates, pem } = require('../support/pem')
const { RedisServer, hasTls } = require('../support/redis-server')
const { unavailable, works } = require('./fault')
const { open, uniqueKey } = require('../support/quorlock')
const { until } = require('../support/until')

// Some packages build the server without TLS. The images of CI all have it: there, a skip would be a loss.
const skip = !process.env.CI && !hasTls() && 'the server was built without TLS'

describe('TLS', { concurrency: true, skip }, () => {
  let files
  let server
  let strict
  let named
  let plain

  before(async () => {
    files = makeCertificates()
    const tls = { ca: files.ca, ...files.server }
    server = await RedisServer.start({ tls })
    strict = await RedisServer.start({ tls: { ...tls, clientAuth: true } })
    named = await RedisServer.start({ tls: { ...tls, ...files.named } })
    plain = await RedisServer.start()
  })
  after(async () => {
    await Promise.all([server, strict, named, plain].map((started) => started?.stop()))
    files?.remove()
  })

  const at = ({ port }, tls, host = '127.0.0.1') => ({ host, port, tls })
  const refused = async (t, node, expected = { code: 'TLS' }) => {
    const redlock = open(t, [node])
    const name = redlock.stats().nodes[0].name
    return unavailable(() => redlock.acquire(uniqueKey(), 5000, { wait: 0 }), expected, [{ name }])
  }

  test('a server of the given authority', async (t) => {
    const redlock = open(t, [at(server, { ca: pem(files.ca) })])
    await redlock.connect()
    await works(redlock)
  })

  test('several authorities, as text and as buffer', async (t) => {
    const ca = [pem(files.otherCa), Buffer.from(pem(files.ca))]
    await works(open(t, [at(server, { ca })]))
  })

  test('rediss:// with the rest beside it', async (t) => {
    await works(open(t, [{ url: `rediss://localhost:${server.port}`, tls: { ca: pem(files.ca) } }]))
  })

  test('another authority', async (t) => {
    await refused(t, at(server, { ca: pem(files.otherCa) }))
  })

  test('an unknown authority', async (t) => {
    await refused(t, at(server, true))
    await refused(t, `rediss://127.0.0.1:${server.port}`)
  })

  test('rejectUnauthorized: false takes any', async (t) => {
    await works(open(t, [at(server, { rejectUnauthorized: false })]))
    await works(open(t, [at(server, { rejectUnauthorized: false, ca: pem(files.otherCa) })]))
  })

  test('an expired certificate', async (t) => {
    const expired = await RedisServer.start({ tls: { ca: files.ca, ...files.expired } })
    t.after(() => expired.stop())
    const error = await refused(t, at(expired, { ca: pem(files.ca) }))
    assert.match(error.message, /expire|valid/i)
  })

  test('a certificate for another name', async (t) => {
    await refused(t, at(named, { ca: pem(files.ca) }))
  })

  test('servername says which name is meant', async (t) => {
    await works(open(t, [at(named, { ca: pem(files.ca), servername: 'redis.test' })]))
    await refused(t, at(named, { ca: pem(files.ca), servername: 'other.test' }))
  })

  test('a server that wants a client certificate', async (t) => {
    const own = { cert: pem(files.client.cert), key: pem(files.client.key) }
    await works(open(t, [at(strict, { ca: pem(files.ca), ...own })]))
    await refused(t, at(strict, { ca: pem(files.ca) }), { code: ['TLS', 'CONNECT'] })
    await refused(t, at(strict, { ca: pem(files.ca), cert: pem(files.stranger.cert), key: pem(files.stranger.key) }), {
      code: ['TLS', 'CONNECT'],
    })
  })

  test('TLS to a port that speaks plain', async (t) => {
    await refused(t, at(plain, { ca: pem(files.ca) }), { code: ['TLS', 'CONNECT', 'TIMEOUT'] })
  })

  test('plain to a port that speaks TLS', async (t) => {
    await refused(t, { host: '127.0.0.1', port: server.port }, { code: ['PROTOCOL', 'CONNECT'] })
  })

  test('a key that does not belong to its certificate', async (t) => {
    const tls = { ca: pem(files.ca), cert: pem(files.client.cert), key: pem(files.server.key) }
    await refused(t, at(strict, tls), { code: ['TLS', 'CONNECT'] })
  })

  test('one node that cannot be trusted does not matter', async (t) => {
    const nodes = [at(server, { ca: pem(files.ca) }), at(plain), at(named, { ca: pem(files.otherCa) })]
    delete nodes[1].tls
    const redlock = open(t, nodes)
    await redlock.connect()
    await works(redlock)
    await until(() => /TLS/.test(redlock.stats().nodes[2].error), { what: 'the node says why' })
    assert.notEqual(redlock.stats().nodes[2].state, 'up')
  })
})
