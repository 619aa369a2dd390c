'use strict'

// Orders over two processes of the service, with everything real: what is sold, and what a refusal says.

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { until } = require('../support/until')
const { unique, useShop } = require('./shop')

const shop = useShop({ processes: 2, env: { NODE_ENV: 'test', PAYMENT_MS: '20', ORDER_WAIT_MS: '20000' } })

const times = (count, call) => Promise.all(Array.from({ length: count }, (_, i) => call(i)))
const count = (answers, status) => answers.filter((answer) => answer.status === status).length
const confirmed = (id) =>
  until(async () => (await shop.client.get(`/api/v1/orders/${id}`)).body.status === 'confirmed', {
    deadline: 60_000,
    every: 50,
  })

test('an order takes from stock, and the queue confirms it once', async () => {
  const { variantId } = await shop.variant(5)
  const { status, body } = await shop.order({ variantId, quantity: 2, userId: 'anna' })
  assert.equal(status, 201)
  assert.deepEqual([body.userId, body.variantId, body.quantity, body.status], ['anna', variantId, 2, 'accepted'])
  assert.equal(await shop.stock(variantId), 3)
  await confirmed(body.id)
  const lines = await shop.sql('SELECT * FROM confirmations WHERE order_id = $1', [body.id])
  assert.equal(lines.length, 1)
})

test('the same request, twenty times at once over both processes, gives one order', async () => {
  const { variantId } = await shop.variant(5)
  const same = { variantId, userId: unique('user'), key: unique('key') }
  const answers = await times(20, () => shop.order(same))
  assert.deepEqual([count(answers, 201), count(answers, 200)], [1, 19])
  assert.equal(new Set(answers.map(({ body }) => body.id)).size, 1)
  assert.equal(await shop.stock(variantId), 4)
})

test('another order under the same key is refused', async () => {
  const { variantId } = await shop.variant(5)
  const same = { variantId, userId: unique('user'), key: unique('key') }
  assert.equal((await shop.order(same)).status, 201)
  const { status, body } = await shop.order({ ...same, quantity: 2 })
  assert.deepEqual([status, body.code], [409, 'IDEMPOTENCY_KEY_USED'])
  assert.equal(await shop.stock(variantId), 4)
})

test('the unique index gives the same order where the lock does not: two transactions that know nothing of each other', async () => {
  const { variantId } = await shop.variant(5)
  const insert = (id, userId) =>
    shop.sql(
      `INSERT INTO orders (id, user_id, idempotency_key, variant_id, quantity, status)
       VALUES ($1, $2, 'key', $3, 1, 'confirmed')`,
      [id, userId, variantId],
    )
  const userId = unique('user')
  await insert('00000000-0000-4000-8000-000000000001', userId)
  await assert.rejects(insert('00000000-0000-4000-8000-000000000002', userId), { code: '23505' })
  const { status, body } = await shop.order({ variantId, userId, key: 'key' })
  assert.deepEqual([status, body.id], [200, '00000000-0000-4000-8000-000000000001'])
  assert.equal(await shop.stock(variantId), 5)
})

test('sixty who want one of twenty: twenty get it, the others are told that it is sold out', async () => {
  const { variantId } = await shop.variant(20)
  const answers = await times(60, () => shop.order({ variantId }))
  assert.deepEqual([count(answers, 201), count(answers, 409)], [20, 40])
  assert.deepEqual(
    new Set(answers.filter(({ status }) => status === 409).map(({ body }) => body.code)),
    new Set(['SOLD_OUT']),
  )
  assert.equal(await shop.stock(variantId), 0)
  const [{ sum, lowest }] = await shop.sql(
    'SELECT sum(delta)::int AS sum, min(stock_after) AS lowest FROM stock_movements WHERE variant_id = $1',
    [variantId],
  )
  assert.deepEqual({ sum, lowest }, { sum: 0, lowest: 0 })
})

test('cancelling puts it back once, however often it is asked for at once', async () => {
  const { variantId } = await shop.variant(5)
  const { body } = await shop.order({ variantId, quantity: 3 })
  const answers = await times(10, () => shop.client.post(`/api/v1/orders/${body.id}/cancel`))
  assert.equal(count(answers, 200), 10)
  assert.deepEqual(new Set(answers.map((answer) => answer.body.status)), new Set(['cancelled']))
  assert.equal(await shop.stock(variantId), 5)
})

test('stock is adjusted up and down, and never below zero', async () => {
  const { variantId } = await shop.variant(5)
  const adjust = (delta) => shop.adjust(variantId, delta)
  assert.equal((await adjust(-5)).body.stock, 0)
  const { status, body } = await adjust(-1)
  assert.deepEqual([status, body.code], [409, 'NOT_ENOUGH_STOCK'])
  assert.equal((await adjust(2)).body.stock, 2)
  await assert.rejects(shop.sql('UPDATE variants SET stock = -1 WHERE id = $1', [variantId]), { code: '23514' })
})

test('a lock that is older than what the row has seen writes nothing', async () => {
  const { variantId } = await shop.variant(5)
  await shop.sql('UPDATE variants SET fence = $2 WHERE id = $1', [variantId, Number.MAX_SAFE_INTEGER])
  const { status, body, retryAfter } = await shop.order({ variantId })
  assert.deepEqual([status, body.code, retryAfter], [409, 'CAME_LATE', 1])
  assert.equal(await shop.stock(variantId), 5)
  assert.deepEqual(await shop.sql('SELECT 1 FROM orders WHERE variant_id = $1', [variantId]), [])
})

test('an order that the queue was never told of is found and confirmed', async () => {
  const { variantId } = await shop.variant(5)
  const id = '00000000-0000-4000-8000-00000000000a'
  await shop.sql(
    `INSERT INTO orders (id, user_id, idempotency_key, variant_id, quantity, status)
     VALUES ($1, 'nobody', 'never-queued', $2, 1, 'accepted')`,
    [id, variantId],
  )
  await confirmed(id)
  assert.equal((await shop.sql('SELECT 1 FROM confirmations WHERE order_id = $1', [id])).length, 1)
})

test('what is no order is refused before anything is asked for', async () => {
  const { variantId } = await shop.variant(1)
  const send = (body, key = 'key') => shop.client.post('/api/v1/orders', body, key ? { 'idempotency-key': key } : {})
  const order = { userId: 'anna', variantId, quantity: 1 }
  for (const [body, key] of [
    [{ ...order, quantity: 0 }],
    [{ ...order, quantity: 1.5 }],
    [{ ...order, quantity: 11 }],
    [{ ...order, userId: 'a b' }],
    [{ ...order, price: 0 }],
    [order, ''],
    [order, 'a:b'],
  ]) {
    assert.equal((await send(body, key)).status, 400, JSON.stringify([body, key]))
  }
  assert.equal((await send({ ...order, variantId: 'nothing' })).status, 404)
  assert.equal((await shop.client.get('/api/v1/orders/00000000-0000-4000-8000-0000000000ff')).status, 404)
  assert.equal(await shop.stock(variantId), 1)
})
