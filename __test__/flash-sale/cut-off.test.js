'use strict'

// Processes of the service that never reach the lock nodes, and one beside them that does: who sells what, and what the
// fallback excludes.

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { until } = require('../support/until')
const { load, unique, useShop } = require('./shop')

// Where nobody listens.
const NOWHERE = 'redis://127.0.0.1:1,redis://127.0.0.1:2,redis://127.0.0.1:3'
const env = { NODE_ENV: 'test', PAYMENT_MS: '20', ORDER_WAIT_MS: '30000' }
const LIMIT = { deadline: 60_000, every: 10 }
const shop = useShop({ processes: 2, env: { ...env, QUORLOCK_NODES: NOWHERE } })

const times = (count, call) => Promise.all(Array.from({ length: count }, (_, i) => call(i)))
const count = (answers, status) => answers.filter((answer) => answer.status === status).length
const codes = (answers) => new Set(answers.flatMap(({ body }) => body.code ?? []))

test('two processes that are cut off sell what there is, one product at a time', async () => {
  const { variantId } = await shop.variant(20)
  const answers = await times(60, () => shop.order({ variantId }))
  assert.deepEqual([count(answers, 201), count(answers, 409)], [20, 40])
  assert.deepEqual(codes(answers), new Set(['SOLD_OUT']))
  assert.equal(await shop.stock(variantId), 0)
  const [line] = await shop.sql(
    `SELECT count(*)::int AS orders, count(token)::int AS tokens, bool_and(degraded) AS degraded, min(stock_after) AS lowest
       FROM stock_movements JOIN orders ON orders.id = order_id WHERE orders.variant_id = $1`,
    [variantId],
  )
  assert.deepEqual(line, { orders: 20, tokens: 0, degraded: true, lowest: 0 })
})

test('the same request, twenty times at once over both, gives one order: of the last item, too', async () => {
  const { variantId } = await shop.variant(1)
  const same = { variantId, userId: unique('user'), key: unique('key') }
  const answers = await times(20, () => shop.order(same))
  assert.deepEqual([count(answers, 201), count(answers, 200)], [1, 19])
  assert.equal(new Set(answers.map(({ body }) => body.id)).size, 1)
  assert.equal(await shop.stock(variantId), 0)
})

test('more products at once than the fallback has connections: everybody has a turn', async () => {
  const { body } = await shop.client.get('/api/v1/locks/status')
  const client = shop.clientOf(0)
  const variants = await times(3 * body.fallback.most, () => shop.variant(1))
  const answers = await Promise.all(variants.map(({ variantId }) => shop.order({ variantId }, client)))
  assert.equal(count(answers, 201), variants.length, JSON.stringify([...codes(answers)]))
})

test('the fallback’s connections are ended under those who hold its locks: refused or sold, and nothing twice', async () => {
  const { variantId } = await shop.variant(30)
  const orders = Array.from({ length: 30 }, () => ({ variantId, userId: unique('user'), key: unique('key') }))
  const bought = orders.map((order) =>
    until(async () => {
      const { status, body } = await shop.order(order)
      assert.ok([200, 201, 409, 503].includes(status), `${status} ${JSON.stringify(body)}`)
      return status < 300 && body.id
    }, LIMIT),
  )
  const end = () =>
    shop.sql(
      `SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity USING (pid)
        WHERE locktype = 'advisory' AND granted AND application_name = 'flash-sale fallback'`,
    )
  for (let times = 0; times < 3; times++) await until(async () => (await end()).length > 0, LIMIT)
  const ids = await Promise.all(bought)
  assert.equal(new Set(ids).size, 30)
  assert.equal(await shop.stock(variantId), 0)
})

test('beside a process that sees the nodes, both sell at once and never too many: the row lock is everybody’s', async (t) => {
  const { Application } = await load('application.mjs')
  const { Client } = await load('client.mjs')
  const application = new Application({ ...shop.env, ...env })
  t.after(() => application.close())
  await application.start()
  const connected = new Client(application.url)
  t.after(() => connected.close())
  assert.equal((await shop.order(await shop.variant(1), connected)).status, 201) // its nodes are there

  const { variantId } = await shop.variant(30)
  const answers = await times(80, (i) => shop.order({ variantId }, i % 2 === 0 ? shop.client : connected))
  assert.deepEqual([count(answers, 201), count(answers, 409)], [30, 50])
  assert.deepEqual(codes(answers), new Set(['SOLD_OUT']))
  assert.equal(await shop.stock(variantId), 0)

  const lines = await shop.sql(
    `SELECT orders.degraded, delta, stock_after AS "stockAfter", token::float8 AS token
       FROM stock_movements JOIN orders ON orders.id = order_id
      WHERE orders.variant_id = $1 ORDER BY stock_movements.id`,
    [variantId],
  )
  assert.deepEqual(
    lines.map(({ stockAfter }) => stockAfter),
    Array.from({ length: 30 }, (_, i) => 29 - i),
  )
  for (const { degraded, token } of lines) assert.equal(token === null, degraded)
  assert.deepEqual(new Set(lines.map(({ degraded }) => degraded)), new Set([true, false]), 'both have sold')
  const tokens = lines.flatMap(({ token }) => token ?? [])
  assert.deepEqual(
    tokens,
    tokens.toSorted((a, b) => a - b),
  )
})
