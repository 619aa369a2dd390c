'use strict'

// The inventory's paths given what no variant is called, the description of all endpoints, and how the shop is filled.

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { load, unique, useShop } = require('./shop')

const shop = useShop({ processes: 1, env: { NODE_ENV: 'test' } })
const adjust = (name, delta = 1) => shop.client.post(`/api/v1/inventory/${name}/adjust`, { delta })

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
  }
  const { LocksStatus, Live } = body.components.schemas
  const { body: status } = await shop.client.get('/api/v1/locks/status')
  assert.deepEqual(Object.keys(LocksStatus.properties).sort(), Object.keys(status).sort())
  assert.deepEqual(Object.keys(Live.properties).sort(), [
    'at',
    'isStale',
    'locks',
    'orders',
    'ordersPerSecond',
    'stock',
  ])
})

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
