'use strict'

// Connections to the database that fall silent and never end, while new ones work: after a failover, or a cable that was
// pulled. The process that had them recovers, and the others do not wait for it.

const fs = require('node:fs')
const { pathToFileURL } = require('node:url')
const path = require('node:path')
const { test } = require('node:test')
const assert = require('node:assert/strict')
const { TcpProxy } = require('../support/proxy')
const { until } = require('../support/until')
const { startProxied } = require('./proxied')
const { FOLDER, load, request, requireDependency, useShop } = require('./shop')

/** Ten times what a silent connection is given, and a lock that is not renewed any more with its ttl. */
const LIMIT = { deadline: 120_000, every: 50 }
const CONNECTIONS = 20
const env = { NODE_ENV: 'test', PAYMENT_MS: '1', ORDER_WAIT_MS: '1000', ANSWER_LIMIT_MS: '3000' }
const shop = useShop({ processes: 1, env })

const status = async (client) => (await client.get('/api/v1/locks/status')).body

/** Until it is accepted; meanwhile every answer is one that says "come again". */
const bought = (order, client) =>
  until(async () => {
    const { status, body, retryAfter } = await shop.order(order, client)
    assert.ok(status < 300 || ([409, 429, 503].includes(status) && retryAfter > 0), `${status} ${JSON.stringify(body)}`)
    return status < 300
  }, LIMIT)

test('in the middle of an order: another process sells the product, and this one the same order', async (t) => {
  const { proxy, client } = await startProxied(t, shop, env)
  const { variantId, productId } = await shop.variant(2)
  const giveBack = await shop.keepRows(t, variantId)
  const order = request(variantId)
  const asked = shop.order(order, client)
  await until(async () => (await status(client)).byKind.inventory.held > 0, LIMIT)
  proxy.vanish()
  await giveBack()
  assert.ok((await status(client)).locks.some(({ key }) => key === `lock:product:${productId}`))

  await bought(request(variantId))
  assert.equal((await asked).status, 503)
  await bought(order, client)
  assert.equal(await shop.stock(variantId), 0)
})

test('in the middle of a sweep: another process brings the orders that wait to the queue', async (t) => {
  const { proxy, client } = await startProxied(t, shop, env)
  const { variantId } = await shop.variant(1)
  const id = '00000000-0000-4000-8000-00000000000a'
  await shop.sql(
    `INSERT INTO orders (id, user_id, idempotency_key, variant_id, quantity, status)
     VALUES ($1, 'nobody', 'never-queued', $2, 1, 'accepted')`,
    [id, variantId],
  )
  const sweeps = async () => (await status(client)).locks.some(({ key }) => key === 'lock:order_sweep')
  // Either process sweeps, and its statement ends after 5 s.
  const giveBack = await shop.keep(t, 'LOCK TABLE orders IN ACCESS EXCLUSIVE MODE')
  await until(sweeps, LIMIT)
  proxy.vanish()
  await giveBack()
  await until(async () => (await shop.client.get(`/api/v1/orders/${id}`)).body.status === 'confirmed', LIMIT)
})

test('all connections of the pool, with orders in all of them: the process goes on with new ones', async (t) => {
  const { proxy, client } = await startProxied(t, shop, env)
  const variants = await Promise.all(Array.from({ length: CONNECTIONS + 5 }, () => shop.variant(2)))
  const orders = () => variants.map(({ variantId }) => request(variantId))
  await Promise.all(orders().map((order) => bought(order, client)))
  const giveBack = await shop.keep(t, 'LOCK TABLE variants IN ACCESS EXCLUSIVE MODE')
  const asked = orders().map((order) => bought(order, client))
  await until(async () => {
    const rows = await shop.sql(`SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'`)
    return rows.length >= CONNECTIONS
  }, LIMIT)
  proxy.vanish()
  await giveBack()
  await Promise.all(asked)
  for (const { variantId } of variants) assert.equal(await shop.stock(variantId), 0)
  await until(async () => (await client.get('/health')).status === 200, LIMIT)
})

test('a connection that is not used is ended before its silence is taken for an end', async () => {
  const { database } = await fromService('database/database.js')
  const { SILENCE_LIMIT_MS } = await fromService('database/silence.js')
  const { idleTimeoutMillis, ...limits } = database.extra
  assert.ok(idleTimeoutMillis <= SILENCE_LIMIT_MS / 2)
  for (const name of ['statement_timeout', 'idle_in_transaction_session_timeout', 'connectionTimeoutMillis']) {
    assert.ok(limits[name] > 0 && limits[name] < SILENCE_LIMIT_MS, name)
  }
})

test('with TLS, too, what is said counts, and silence ends the connection', async (t) => {
  const server = await startWithTls()
  t.after(() => server.stop())
  const proxy = await TcpProxy.start(server.port)
  t.after(() => proxy.stop())
  const { socketWithLimit } = await fromService('database/silence.js')
  const limitMs = 1000
  const client = new (requireDependency('pg').Client)({
    ...{ host: '127.0.0.1', port: proxy.port, user: 'example', database: 'postgres' },
    ...{ ssl: { ca: server.certificate }, stream: () => socketWithLimit(limitMs) },
  })
  t.after(() => client.end().catch(() => {}))
  client.on('error', () => {}) // the statement that is asked for rejects
  await client.connect()
  const { rows } = await client.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()')
  assert.deepEqual(rows, [{ ssl: true }])
  const end = performance.now() + 3 * limitMs
  while (performance.now() < end) await client.query('SELECT 1')

  const ended = new Promise((resolve) => client.once('end', resolve))
  proxy.vanish()
  await assert.rejects(client.query('SELECT 1'), {
    message: /^Connection terminated: Postgres has said nothing for 1000 ms/,
  })
  await ended
})

test('a section that takes too long gives its locks up, though every statement is answered', async (t) => {
  const { proxy, client } = await startProxied(t, shop, { ...env, ORDER_WAIT_MS: '100' })
  const { variantId } = await shop.variant(1)
  assert.equal((await status(client)).lost, 0)
  proxy.toClient.delay(3000)
  shop.order(request(variantId), client).catch(() => {}) // whatever becomes of it
  await until(async () => (await status(client)).lost > 0, LIMIT)
})

/** One file of the built service. */
function fromService(file) {
  for (const name of ['DATABASE_URL', 'QUEUE_URL', 'QUORLOCK_NODES']) process.env[name] ??= shop.env[name]
  return import(pathToFileURL(path.join(FOLDER, 'dist', file)).href)
}

/** It signs itself, and whoever connects knows its certificate. */
async function startWithTls() {
  const { Server } = await import('../../examples/fenced-stores/servers/server.mjs')
  const { freePort, HOST } = await load('servers/ports.mjs')
  const port = await freePort()
  const launch = async (server) => {
    const [data, certificate, key] = ['data', 'tls.crt', 'tls.key'].map((name) => server.path(name))
    const named = ['-subj', '/CN=localhost', '-addext', `subjectAltName=IP:${HOST}`]
    const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key]
    await server.run('openssl', ['req', '-x509', ...newKey, '-out', certificate, '-days', '2', ...named])
    const options = ['--username', 'example', '--auth', 'trust', '--encoding', 'UTF8', '--locale', 'C', '--no-sync']
    await server.run('initdb', ['--pgdata', data, ...options])
    const settings = {
      ...{ listen_addresses: HOST, port, unix_socket_directories: server.folder, fsync: 'off' },
      ...{ ssl: 'on', ssl_cert_file: certificate, ssl_key_file: key },
    }
    const words = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    await server.serve('postgres', ['-D', data, ...words])
    return certificate
  }
  const { url: file, stop } = await Server.start('postgres', launch, { stopSignal: 'SIGQUIT' })
  return { port, certificate: fs.readFileSync(file, 'utf8'), stop }
}
