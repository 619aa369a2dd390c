'use strict'

// Stock is adjusted once for each idempotency key, whoever asks and however often; and without a key nobody is told to ask again
// for what may have been done.

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { until } = require('../support/until')
const { unique, useShop } = require('./shop')

const LIMIT = { deadline: 60_000, every: 20 }
// An answer comes before Postgres ends a statement that waits.
const shop = useShop({ processes: 2, env: { NODE_ENV: 'test', ANSWER_LIMIT_MS: '3000' } })

const adjust = (variantId, delta, key) => shop.adjust(variantId, delta, { key })
const linesOf = (variantId) => shop.sql('SELECT delta FROM stock_movements WHERE variant_id = $1', [variantId])
const waiting = async () =>
  (await shop.sql(`SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%variants%'`)).length

test('the same key, ten times at once over both processes, and later: once, and the same answer', async () => {
  const { variantId } = await shop.variant(5)
  const key = unique('key')
  const answers = await Promise.all(Array.from({ length: 10 }, () => adjust(variantId, 3, key)))
  assert.equal((await adjust(variantId, -1)).body.stock, 7)
  answers.push(await adjust(variantId, 3, key))
  for (const { status, body } of answers) assert.deepEqual([status, body], [200, { variantId, stock: 8 }])
  assert.equal(await shop.stock(variantId), 7)
  assert.deepEqual(await linesOf(variantId), [{ delta: 5 }, { delta: 3 }, { delta: -1 }])
})

test('without a key, and with another, each counts', async () => {
  const { variantId } = await shop.variant(1)
  const stocks = []
  for (const key of [undefined, undefined, unique('key'), unique('key')]) {
    stocks.push((await adjust(variantId, 1, key)).body.stock)
  }
  assert.deepEqual(stocks, [2, 3, 4, 5])
})

test('the key of another adjustment is refused, and so is what is no key', async () => {
  const [one, other] = [await shop.variant(5), await shop.variant(5)]
  const key = unique('key')
  assert.equal((await adjust(one.variantId, 1, key)).status, 200)
  for (const again of [await adjust(one.variantId, 2, key), await adjust(other.variantId, 1, key)]) {
    const { status, body, retryAfter } = again
    assert.deepEqual([status, body.code, retryAfter], [409, 'IDEMPOTENCY_KEY_USED', Number.NaN])
  }
  for (const bad of ['', 'a:b', 'x'.repeat(65)]) assert.equal((await adjust(one.variantId, 1, bad)).status, 400, bad)
  assert.deepEqual([await shop.stock(one.variantId), await shop.stock(other.variantId)], [6, 5])
})

test('what was refused has not used its key', async () => {
  const { variantId } = await shop.variant(1)
  const key = unique('key')
  assert.equal((await adjust(variantId, -2, key)).body.code, 'NOT_ENOUGH_STOCK')
  assert.equal((await adjust(variantId, 1)).status, 200)
  assert.equal((await adjust(variantId, -2, key)).body.stock, 0)
})

test('one key for two variants at the same moment: the index lets one in', async (t) => {
  const variantIds = [(await shop.variant(5)).variantId, (await shop.variant(5)).variantId]
  const giveBack = await shop.keepRows(t, ...variantIds)
  const key = unique('key')
  const asked = variantIds.map((variantId) => adjust(variantId, 1, key))
  await until(async () => (await waiting()) === 2, LIMIT) // both have found the key free
  await giveBack()
  const answers = await Promise.all(asked)
  assert.deepEqual(answers.map(({ status, body }) => body.code ?? status).sort(), [200, 'IDEMPOTENCY_KEY_USED'])
  const stocks = await Promise.all(variantIds.map((variantId) => shop.stock(variantId)))
  assert.equal(stocks[0] + stocks[1], 11)
})

test('a 503 of which nobody knows what it left says to look first; with a key, to come again', async (t) => {
  const { variantId } = await shop.variant(10)
  const key = unique('key')
  const giveBack = await shop.keepRows(t, variantId)
  const [plain, keyed, decremented] = await Promise.all([
    adjust(variantId, 100),
    adjust(variantId, 1000, key),
    shop.client.post('/api/v1/test/inventory/test-decrement', { variantId, quantity: 1 }),
  ])
  for (const { status, body, retryAfter } of [plain, decremented]) {
    assert.deepEqual([status, body.code, retryAfter], [503, 'NO_ANSWER', Number.NaN])
    assert.match(body.message, /look at the stock first/)
  }
  assert.deepEqual([keyed.status, keyed.body.code, keyed.retryAfter], [503, 'NO_ANSWER', 1])
  await giveBack()
  await until(async () => (await adjust(variantId, 1000, key)).status === 200, LIMIT)
  const lines = (await linesOf(variantId)).map(({ delta }) => delta)
  assert.equal(lines.filter((delta) => delta === 1000).length, 1)
})

test('the same where the connection ends, which is told at once', async (t) => {
  const { variantId } = await shop.variant(10)
  await shop.keepRows(t, variantId)
  for (const [key, expected] of [
    [undefined, Number.NaN],
    [unique('key'), 1],
  ]) {
    const asked = adjust(variantId, 1, key)
    await until(async () => {
      const text = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'`
      return (await shop.sql(text)).length > 0
    }, LIMIT)
    const { status, body, retryAfter } = await asked
    assert.deepEqual([status, body.code, retryAfter], [503, 'DATABASE_UNAVAILABLE', expected])
  }
})

test('a database of before, with what is in it, is given the column at the start', async () => {
  const { variantId } = await shop.variant(4)
  for (const application of shop.applications) assert.equal(await application.stop(), 0)
  await shop.sql('ALTER TABLE stock_movements DROP COLUMN idempotency_key')
  const dropped = await shop.sql(`DELETE FROM migrations WHERE name LIKE 'AdjustmentKeys%' RETURNING name`)
  assert.equal(dropped.length, 1)
  await Promise.all(shop.applications.map((application) => application.start()))
  const key = unique('key')
  for (let times = 0; times < 2; times++) assert.equal((await adjust(variantId, 1, key)).body.stock, 5)
  assert.deepEqual(await linesOf(variantId), [{ delta: 4 }, { delta: 1 }])
})
