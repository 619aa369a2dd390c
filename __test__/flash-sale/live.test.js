'use strict'

// The stream behind the page: what it says while the database is away, and that it keeps no process from ending.

const { get } = require('node:http')
const { once } = require('node:events')
const { test } = require('node:test')
const assert = require('node:assert/strict')
const { until, within } = require('../support/until')
const { useShop } = require('./shop')

const LIMIT = { deadline: 60_000, every: 20 }
const shop = useShop({ processes: 1, env: { NODE_ENV: 'test' } })

/** `{ status, events, closed }`: the events as they come, and a promise of the end. */
async function listen(t) {
  const request = get(`${shop.applications[0].url}/api/v1/live`)
  t.after(() => request.destroy())
  const [response] = await once(request, 'response')
  const events = []
  response.setEncoding('utf8').on('data', (chunk) => {
    for (const [, data] of chunk.matchAll(/^data: (.+)$/gm)) events.push(JSON.parse(data))
  })
  const closed = new Promise((resolve) => response.once('close', resolve))
  return { status: response.statusCode, events, closed }
}

test('without the database, locks and nodes are told on, and that stock and orders are not known', async (t) => {
  const { variantId } = await shop.variant(3)
  const { events } = await listen(t)
  await until(
    () => events.some(({ stock }) => stock?.some((row) => row.variantId === variantId && row.stock === 3)),
    LIMIT,
  )
  assert.equal(events.at(-1).isStale, false)
  await shop.sql('ALTER TABLE variants RENAME TO gone')
  shop.nodes[0].suspend()
  try {
    await until(() => {
      const { isStale, stock, orders, ordersPerSecond, locks } = events.at(-1)
      const nodes = locks.instances[0].nodes.map(({ state }) => state)
      return isStale && [stock, orders, ordersPerSecond].every((value) => value === null) && nodes[0] === 'down'
    }, LIMIT)
  } finally {
    shop.nodes[0].continue()
    await shop.sql('ALTER TABLE gone RENAME TO variants')
  }
  await until(() => events.at(-1).isStale === false, LIMIT)
})

test('a stream that is opened while the process is ending keeps it from nothing', async (t) => {
  const giveBack = await shop.keep(t, 'LOCK TABLE orders IN ACCESS EXCLUSIVE MODE')
  const sweeping = `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%"status"%'`
  await until(async () => (await shop.sql(sweeping)).length > 0, LIMIT)

  const first = await listen(t)
  const ended = shop.applications[0].stop()
  await within(60_000, first.closed, 'the end of the stream that was open') // the shutdown waits for the sweep now
  const second = await listen(t)
  assert.equal(second.status, 200)
  await giveBack()
  await within(60_000, second.closed, 'the end of the stream that was opened late')
  assert.equal(await ended, 0)
})
