'use strict'

// docker-compose.yml, which no test can start without Docker: its words for the service are those that the service reads,
// and lead to the servers that it has.

const fs = require('node:fs')
const path = require('node:path')
const { spawnSync } = require('node:child_process')
const { before, test } = require('node:test')
const assert = require('node:assert/strict')
const { FOLDER, load, requireDependency } = require('./shop')

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
