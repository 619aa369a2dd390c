'use strict'

// docker-compose.yml, which no test can start without Docker: its words for the service are those that the service reads,
// and lead to the servers that it has; and servers that are started by the file's own words are all that the service needs.

const fs = require('node:fs')
const path = require('node:path')
const { spawnSync } = require('node:child_process')
const { before, test } = require('node:test')
const assert = require('node:assert/strict')
const { until } = require('../support/until')
const { FOLDER, load, requireDependency } = require('./shop')

const LIMIT = { deadline: 60_000, every: 50 }

const text = fs.readFileSync(path.join(FOLDER, 'docker-compose.yml'), 'utf8')
const { load: parse, YAML11_SCHEMA } = requireDependency('js-yaml')
const { services } = parse(text, { schema: YAML11_SCHEMA }) // with "<<", as Docker reads it

/** As its head tells people to set them. */
const variables = Object.fromEntries(
  [...text.matchAll(/\b([A-Z_]+)=([^\s\\]+)/g)].map(([, name, value]) => [name, value]),
)

/** The port on this machine that leads to a server. */
const portOf = (service) => {
  assert.equal(service.ports.length, 1)
  const [, host, port] = service.ports[0].match(/^(127\.0\.0\.1):(\d+):\d+$/)
  assert.equal(host, '127.0.0.1', 'open to nobody else')
  return port
}

before(() => load('shop.mjs')) // says so where the example is not built

test('the service needs exactly the variables that the file names', () => {
  assert.deepEqual(Object.keys(variables).sort(), ['DATABASE_URL', 'QUEUE_URL', 'QUORLOCK_NODES'])
  const source = fs.readFileSync(path.join(FOLDER, 'src', 'settings.ts'), 'utf8')
  const required = [...source.matchAll(/required\('(\w+)'\)/g)].map(([, name]) => name)
  assert.deepEqual(required.sort(), Object.keys(variables).sort())
  for (const name of required) {
    const { [name]: _, ...others } = variables
    const environment = { PATH: process.env.PATH, ...others }
    const main = path.join(FOLDER, 'dist', 'main.js')
    const { status, stderr } = spawnSync(process.execPath, [main], { env: environment, encoding: 'utf8' })
    assert.notEqual(status, 0)
    assert.match(stderr, new RegExp(`TypeError: ${name} is not set`))
  }
})

test('they lead to its servers, and the queue is none of the lock nodes', () => {
  const { POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB } = services.postgres.environment
  const database = `${POSTGRES_USER}:${POSTGRES_PASSWORD}@localhost:${portOf(services.postgres)}/${POSTGRES_DB}`
  assert.equal(variables.DATABASE_URL, `postgres://${database}`)
  assert.equal(variables.QUEUE_URL, `redis://localhost:${portOf(services.queue)}`)

  const names = Object.keys(services).filter((name) => name.startsWith('lock-'))
  assert.equal(names.length, 3)
  const nodes = names.map((name) => `redis://localhost:${portOf(services[name])}`)
  assert.deepEqual(variables.QUORLOCK_NODES.split(','), nodes)
  assert.ok(!nodes.includes(variables.QUEUE_URL))
  for (const name of [...names, 'queue']) assert.match(services[name].command, /--maxmemory-policy noeviction/)
})

test('every server is waited for until it answers', () => {
  assert.match(text, /`docker compose up -d --wait`/)
  for (const [name, { healthcheck }] of Object.entries(services)) {
    const { test: words, retries } = healthcheck
    assert.equal(words[0], 'CMD', name)
    assert.equal(words[1], name === 'postgres' ? 'pg_isready' : 'redis-cli')
    assert.ok(retries > 0)
  }
})

test('with its servers, none of this machine’s own is needed', async () => {
  const { ownServers } = await import('../../scripts/support/flash-sale.mjs')
  assert.deepEqual(ownServers(variables), [])
  assert.deepEqual(ownServers({}), ['redis', 'postgres'])
  for (const [name, server] of [
    ['DATABASE_URL', 'postgres'],
    ['QUEUE_URL', 'redis'],
    ['QUORLOCK_NODES', 'redis'],
  ]) {
    assert.deepEqual(ownServers({ ...variables, [name]: '' }), [server])
  }
})

test('servers that are started by its words are healthy, and the service sells with them', async (t) => {
  const { startFromCompose } = await import('./compose-servers.mjs')
  const servers = await startFromCompose(services)
  t.after(() => servers.stop())
  for (const [name, service] of Object.entries(services)) {
    const [, program, ...args] = service.healthcheck.test
    const { status, stderr, stdout } = spawnSync(program, ['-p', servers.ports[name], ...args], { encoding: 'utf8' })
    assert.equal(status, 0, `${name}: ${stdout}${stderr}`)
  }

  // The variables as the file has them, with the ports of this test instead of those that Docker would open.
  const ports = new Map(Object.entries(services).map(([name, service]) => [portOf(service), servers.ports[name]]))
  const here = (value) => value.replace(/(?<=localhost:)\d+/g, (port) => ports.get(port))
  const env = Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, here(value)]))
  const { Application } = await load('application.mjs')
  const { Client } = await load('client.mjs')
  const { fill } = await load('fill.mjs')
  const application = new Application(env)
  t.after(() => application.close())
  await application.start()
  const client = new Client(application.url)
  t.after(() => client.close())

  await until(async () => (await client.get('/health')).body.status === 'ok', LIMIT)
  const { details } = (await client.get('/health')).body
  for (const [name, { status }] of Object.entries(details)) assert.equal(status, 'up', name)
  assert.equal(await fill(client, { variantId: 'v', productId: 'p', items: 1 }), 1)
  const order = { userId: 'anna', variantId: 'v', quantity: 1 }
  const { status, body } = await client.post('/api/v1/orders', order, { 'idempotency-key': 'one' })
  assert.equal(status, 201)
  await until(async () => (await client.get(`/api/v1/orders/${body.id}`)).body.status === 'confirmed', LIMIT)
  assert.equal(await application.stop(), 0)
})
