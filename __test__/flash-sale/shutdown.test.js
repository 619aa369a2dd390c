'use strict'

// A process that is told to end: who has begun to pay gets the order, and nobody begins to who would not get it.

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { until } = require('../support/until')
const { request, useShop } = require('./shop')

const LIMIT = { deadline: 60_000, every: 20 }
const shop = useShop({ processes: 2, env: { NODE_ENV: 'test', PAYMENT_MS: '4000', ORDER_WAIT_MS: '60000' } })

const [STAYS, ENDS] = [0, 1]

/** Until this process holds the lock of the product: it asks for the payment next. */
async function paying(client, productId) {
  const isPaying = ({ key }) => key === `lock:product:${productId}`
  return until(async () => (await client.get('/api/v1/locks/status')).body.locks.find(isPaying), LIMIT)
}

const waiting = (client) =>
  until(async () => (await client.get('/api/v1/locks/status')).body.byKind.custom.waiting > 0, LIMIT)

const ordersOf = (variantId) => shop.sql('SELECT id, degraded FROM orders WHERE variant_id = $1', [variantId])

/** By whichever process the queue gives it to, and not a second time. */
async function confirmedOnce(id) {
  const client = shop.clientOf(STAYS)
  await until(async () => (await client.get(`/api/v1/orders/${id}`)).body.status === 'confirmed', LIMIT)
  assert.equal((await shop.sql('SELECT 1 FROM confirmations WHERE order_id = $1', [id])).length, 1)
}

const refusal = ({ status, body, retryAfter }) => [status, body.code, retryAfter]

test('an order in the middle of its payment is finished, those that wait and those that come are refused', async () => {
  const { variantId, productId } = await shop.variant(3)
  const client = shop.clientOf(ENDS)
  const order = request(variantId)
  const placed = shop.order(order, client)
  await paying(client, productId)
  const later = request(variantId)
  const waited = shop.order(later, client)
  await waiting(client)

  const ended = shop.applications[ENDS].stop()
  try {
    assert.deepEqual(refusal(await waited), [503, 'ERR_REDLOCK_CLOSED', 1])
    assert.deepEqual(refusal(await shop.order(request(variantId), client)), [503, 'ERR_REDLOCK_CLOSED', 1])
    assert.equal((await client.get('/health')).status, 503) // nobody should send more
    assert.deepEqual(await ordersOf(variantId), [], 'all of that was before the end of the payment')

    const { status, body } = await placed
    assert.equal(status, 201, JSON.stringify(body))
    assert.equal(await ended, 0)
    await confirmedOnce(body.id)
    const again = await shop.order(order)
    assert.deepEqual([again.status, again.body.id], [200, body.id])
    assert.equal(await shop.stock(variantId), 2)
    assert.equal((await shop.order(later)).status, 201)
  } finally {
    await ended
    await shop.applications[ENDS].start()
  }
})

test('an order that the fallback has given its locks is finished, too', async () => {
  const { variantId, productId } = await shop.variant(1)
  const client = shop.clientOf(ENDS)
  for (const node of shop.nodes) node.suspend()
  try {
    const placed = shop.order(request(variantId), client)
    assert.equal((await paying(client, productId)).degraded, true)
    const ended = shop.applications[ENDS].stop()
    assert.deepEqual(await ordersOf(variantId), [])
    const { status, body } = await placed
    assert.equal(status, 201, JSON.stringify(body))
    assert.equal(await ended, 0)
    await confirmedOnce(body.id)
    assert.deepEqual(await ordersOf(variantId), [{ id: body.id, degraded: true }])
  } finally {
    for (const node of shop.nodes) node.continue()
    await shop.applications[ENDS].start()
  }
})
