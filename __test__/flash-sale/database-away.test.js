'use strict'

// Connections to the database that end in the middle of a transaction, and a database that hangs: every order is told to
// come again, and each is there once in the end.

const { once } = require('node:events')
const { createServer } = require('node:http')
const { test } = require('node:test')
const assert = require('node:assert/strict')
const { until } = require('../support/until')
const { load, request, unique, useShop } = require('./shop')

const LIMIT = { deadline: 60_000, every: 5 }
const BUYERS = 40
const VARIANTS = 10
const REFUSALS = [409, 429, 503]
const env = { NODE_ENV: 'test', PAYMENT_MS: '1', ORDERS_IN_WORK: '200' }
const shop = useShop({ processes: 1, env })

/** Buyers who buy one after another, each until it has it, until `end()`, which checks the stock. */
async function sell() {
  const stock = 100_000
  const variants = await Promise.all(Array.from({ length: VARIANTS }, () => shop.variant(stock)))
  const refused = new Map()
  const strange = []
  let sold = 0
  let open = true
  const buyers = Array.from({ length: BUYERS }, async (_, i) => {
    while (open) {
      const order = request(variants[i % VARIANTS].variantId)
      await until(async () => {
        const { status, body, retryAfter } = await shop.order(order)
        if (status < 300) return true
        if (!REFUSALS.includes(status) || !(retryAfter > 0)) strange.push(`${status} ${JSON.stringify(body)}`)
        refused.set(body.code, (refused.get(body.code) ?? 0) + 1)
      }, LIMIT)
      sold++
    }
  })
  const all = Promise.all(buyers)
  all.catch(() => {}) // told by end()
  return {
    /** How many were sold. */
    sold: () => sold,
    /** How many orders were told this code. */
    refused: (code) => refused.get(code) ?? 0,
    async end() {
      open = false
      await all
      assert.deepEqual(strange, [])
      const left = await Promise.all(variants.map(({ variantId }) => shop.stock(variantId)))
      assert.equal(
        left.reduce((sum, stock) => sum + stock),
        VARIANTS * stock - sold,
      )
    },
  }
}

test('connections are ended between two statements of a transaction', async () => {
  const sale = await sell()
  await until(() => sale.sold() > 0, LIMIT)
  let ended = 0
  await until(async () => {
    const rows = await shop.sql(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction'`,
    )
    ended += rows.length
    return ended > 100
  }, LIMIT)
  await sale.end()
  assert.ok(sale.refused('DATABASE_UNAVAILABLE') > 0)
})

test('the process is suspended in the middle of transactions, for longer than Postgres keeps them', async () => {
  const sale = await sell()
  await until(() => sale.sold() > 0, LIMIT)
  const { pid } = shop.applications[0]
  const open = () =>
    shop.sql(
      `SELECT state FROM pg_stat_activity WHERE application_name = '' AND state <> '' AND pid <> pg_backend_pid()`,
    )
  await until(async () => {
    process.kill(pid, 'SIGSTOP')
    try {
      // Every statement that had been sent is over, and every transaction, too: Postgres has ended those that were idle.
      await until(async () => (await open()).every(({ state }) => state === 'idle'), LIMIT)
    } finally {
      process.kill(pid, 'SIGCONT')
    }
    const before = sale.sold()
    await until(() => sale.sold() > before, LIMIT)
    return sale.refused('DATABASE_UNAVAILABLE') > 0
  }, LIMIT)
  await sale.end()
})

test('a database that hangs leaves no order without an answer', async (t) => {
  const application = new (await load('application.mjs')).Application({ ...shop.env, ...env, ANSWER_LIMIT_MS: '500' })
  t.after(() => application.close())
  await application.start()
  const client = new (await load('client.mjs')).Client(application.url)
  t.after(() => client.close())
  const order = { variantId: (await shop.variant(1)).variantId, userId: unique('user'), key: unique('key') }

  const rows = await shop.sql(
    `SELECT pid FROM pg_stat_activity WHERE application_name = '' AND pid <> pg_backend_pid()`,
  )
  const backends = rows.map(({ pid }) => pid)
  for (const pid of backends) process.kill(pid, 'SIGSTOP')
  try {
    const { status, body, retryAfter } = await shop.order(order, client)
    assert.deepEqual([status, body.code, retryAfter], [503, 'NO_ANSWER', 1])
  } finally {
    for (const pid of backends) process.kill(pid, 'SIGCONT')
  }
  await until(async () => (await shop.order(order, client)).status < 300, LIMIT)
  assert.equal(await shop.stock(order.variantId), 0)
})

test('the one address answers for a process that does not', async (t) => {
  const { startProxy } = await load('proxy.mjs')
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const proxy = await startProxy(() => [silent.address().port], { silenceLimitMs: 50 })
  t.after(() => proxy.close())
  t.after(() => silent.close().closeAllConnections())
  const client = new (await load('client.mjs')).Client(proxy.url)
  t.after(() => client.close())
  for (const [answer, expected] of [
    [await client.get('/'), 1],
    [await client.post('/', {}, { 'idempotency-key': 'key' }), 1],
    [await client.post('/', {}), Number.NaN], // nobody knows whether it may be sent again
  ]) {
    assert.deepEqual([answer.status, answer.body.code, answer.retryAfter], [503, 'UNREACHABLE', expected])
  }
})
