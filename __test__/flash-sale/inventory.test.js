'use strict'

// The inventory's paths given what no variant is called, the description of all endpoints, and how the shop is filled.

const { once } = require('node:events')
const { get } = require('node:http')
const { test } = require('node:test')
const assert = require('node:assert/strict')
const { until } = require('../support/until')
const { load, unique, useShop } = require('./shop')

const LIMIT = { deadline: 60_000, every: 20 }

const shop = useShop({ processes: 1, env: { NODE_ENV: 'test' } })
const adjust = (name, delta = 1) => shop.adjust(name, delta)

test('what is no name is refused, and what is not known asks for no lock', async () => {
  for (const name of ['%00', 'x'.repeat(65), 'x'.repeat(600), 'a:quorlock:b', 'a%20b']) {
    assert.equal((await shop.client.get(`/api/v1/inventory/${name}`)).status, 400, `get ${name}`)
    assert.equal((await adjust(name)).status, 400, `adjust ${name}`)
  }
  assert.equal((await shop.client.get('/api/v1/inventory/nothing')).status, 404)
  const asked = async () => {
    const { body } = await shop.client.get('/metrics')
    return body.match(/^quorlock_acquire_seconds_count\{redlock="fenced".*$/gm) ?? []
  }
  const before = await asked()
  const { status, body } = await adjust('nothing')
  assert.deepEqual([status, body.code], [404, 'UNKNOWN'])
  assert.equal(
    (await shop.client.post('/api/v1/test/inventory/test-decrement', { variantId: 'nothing', quantity: 1 })).status,
    404,
  )
  assert.deepEqual(await asked(), before)
})

test('stock has an upper end', async () => {
  const { variantId } = await shop.variant(1)
  await shop.sql('UPDATE variants SET stock = 1000000000 - 1 WHERE id = $1', [variantId])
  assert.equal((await adjust(variantId, 1)).status, 200)
  const { status, body, retryAfter } = await adjust(variantId, 1)
  assert.deepEqual([status, body.code, retryAfter], [409, 'TOO_MUCH_STOCK', Number.NaN])
  assert.equal(await shop.stock(variantId), 1_000_000_000)
})

test('every endpoint says what it answers', async () => {
  const { body } = await shop.client.get('/api/openapi.json')
  const endpoints = Object.entries(body.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]) => ({ name: `${method} ${path}`, path, ...described })),
  )
  assert.ok(endpoints.length > 10)
  for (const { name, path, responses, requestBody } of endpoints) {
    for (const [status, { content }] of Object.entries(responses)) {
      const [media] = Object.values(content ?? {})
      assert.ok(media?.schema, `${name} ${status}: a schema`)
    }
    if (requestBody || path.includes('{')) assert.ok(responses[400], `${name}: 400`)
    if (path.includes('{')) assert.ok(responses[404], `${name}: 404`)
    if (/orders|inventory/.test(path)) assert.ok(responses[503], `${name}: 503, of the database`)
  }
  const adjusted = body.paths['/api/v1/inventory/{variantId}/adjust'].post
  const key = adjusted.parameters.find(({ name }) => name === 'Idempotency-Key')
  assert.deepEqual([key.in, key.required], ['header', false])
  assert.match(adjusted.responses[503].description, /look at the stock first/)
})

test('the status and the stream answer as they are described, in every part', async (t) => {
  const { schemas } = (await shop.client.get('/api/openapi.json')).body.components
  const { variantId } = await shop.variant(1)
  shop.nodes[0].suspend()
  t.after(() => shop.nodes[0].continue())
  // With a lock that is held, one that is waited for, and a node that is down: no list is empty, no part is left out.
  const giveBack = await shop.keepRows(t, variantId)
  const asked = [adjust(variantId), adjust(variantId)]
  const status = await until(async () => {
    const { body } = await shop.client.get('/api/v1/locks/status')
    const isDown = body.instances.some(({ nodes }) => nodes.some(({ error }) => error !== undefined))
    return body.byKind.inventory.held > 0 && body.byKind.inventory.waiting > 0 && isDown && body
  }, LIMIT)
  await giveBack()
  await Promise.all(asked)
  sameParts(schemas, { $ref: '#/components/schemas/LocksStatus' }, status, 'status')

  const [response] = await once(get(`${shop.url}/api/v1/live`), 'response')
  t.after(() => response.destroy())
  let text = ''
  for await (const chunk of response) {
    text += chunk
    if (/^data: .+\n/m.test(text)) break
  }
  sameParts(schemas, { $ref: '#/components/schemas/Live' }, JSON.parse(text.match(/^data: (.+)$/m)[1]), 'live')
})

/** What is required is there, and what is there is described; in lists, of every entry. */
function sameParts(schemas, schema, value, name) {
  const ref = schema.$ref ?? schema.allOf?.[0].$ref
  if (ref) return sameParts(schemas, schemas[ref.split('/').at(-1)], value, name)
  if (schema.type === 'array') {
    if (value === null) return assert.equal(schema.nullable, true, name)
    return value.forEach((entry, i) => void sameParts(schemas, schema.items, entry, `${name}[${i}]`))
  }
  if (schema.type !== 'object') return assert.notEqual(typeof value, 'object', `${name} is described in parts`)
  const described = Object.keys(schema.properties)
  for (const part of Object.keys(value)) assert.ok(described.includes(part), `${name}.${part} is described`)
  for (const part of schema.required ?? []) assert.ok(part in value, `${name}.${part} is there`)
  for (const part of Object.keys(value)) sameParts(schemas, schema.properties[part], value[part], `${name}.${part}`)
}

test('the shop is filled once, and says what it has', async () => {
  const { fill } = await load('fill.mjs')
  const variantId = unique('filled')
  const filled = () => fill(shop.client, { variantId, productId: variantId, items: 5 })
  assert.equal(await filled(), 5)
  assert.equal((await shop.order({ variantId })).status, 201)
  assert.equal(await filled(), 4, 'a second start adds nothing')
  const bad = fill(shop.client, { variantId: 'a b', productId: 'p', items: 5 })
  await assert.rejects(bad, /^Error: the shop could not be filled: 400 /)
})
