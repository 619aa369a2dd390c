'use strict'

// The queue's Redis is killed, or stopped, or was never there: orders go on, which nobody takes this process out for, and
// a process that is told to end does.

const { after, test } = require('node:test')
const assert = require('node:assert/strict')
const { until } = require('../support/until')
const { load, unique, useShop } = require('./shop')

const LIMIT = { deadline: 60_000, every: 50 }
const env = { NODE_ENV: 'test', PAYMENT_MS: '20' }
const shop = useShop({ processes: 1, env })

const confirmed = (id) =>
  until(async () => (await shop.client.get(`/api/v1/orders/${id}`)).body.status === 'confirmed', LIMIT)

/** Of the health: the whole, with its status, and the queue. */
async function health(client) {
  const { status, body } = await client.get('/health')
  return [status, body.status, body.details.queue.status].join(' ')
}

const count = (text, pattern) => [...text.matchAll(pattern)].length

/** An order that the queue cannot be told of, until the sweep has tried twice: the first time has ended. */
async function sweptInVain(application) {
  const { variantId } = await shop.variant(1)
  const { status, body } = await shop.order({ variantId })
  assert.equal(status, 201)
  const before = count(application.output, /orders are not swept/g)
  await until(() => count(application.output, /orders are not swept/g) >= before + 2, LIMIT)
  return body
}

for (const [name, away, back] of [
  ['killed', () => shop.queue.kill(), () => shop.queue.launch()],
  ['stopped', () => shop.queue.suspend(), () => shop.queue.continue()],
]) {
  for (const isOverdue of [false, true]) {
    test(`the queue is ${name}${isOverdue ? ', with an order that waits for it' : ''}: a process that is told to end does`, async () => {
      const [application] = shop.applications
      const { variantId } = await shop.variant(1)
      await confirmed((await shop.order({ variantId })).body.id) // it has been connected
      await away()
      let order
      try {
        await until(async () => (await health(shop.client)) === '200 degraded degraded', LIMIT)
        if (isOverdue) order = await sweptInVain(application)
        assert.equal(await application.stop(), 0)
      } finally {
        await back()
        await application.start() // a process that was ended by force, too
      }
      await until(async () => (await health(shop.client)) === '200 ok up', LIMIT)
      if (order) await confirmed(order.id)
    })
  }
}

test('a queue that was never there: orders are taken, and the process ends when it is told to', async () => {
  const { Application } = await load('application.mjs')
  const { Client } = await load('client.mjs')
  const application = new Application({ ...shop.env, ...env, QUEUE_URL: 'redis://127.0.0.1:1' })
  after(() => application.close())
  await application.start()
  const client = new Client(application.url)
  after(() => client.close())
  const { variantId } = await shop.variant(1)
  assert.equal((await shop.order({ variantId, key: unique('key') }, client)).status, 201)
  assert.equal(await health(client), '200 degraded degraded')
  assert.equal(await application.stop(), 0)
})
