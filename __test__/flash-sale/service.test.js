'use strict'

// The service while something is wrong: locks that others hold, nodes that do not answer, processes that end.

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { Redlock } = require('../..')
const { until } = require('../support/until')
const { load, requireDependency, unique, useShop } = require('./shop')

const WAIT_MS = 1000
const LIMIT = { deadline: 60_000, every: 20 }
const shop = useShop({
  processes: 2,
  env: { NODE_ENV: 'test', PAYMENT_MS: '700', ORDER_WAIT_MS: String(WAIT_MS), ORDERS_IN_WORK: '10' },
})
const nodes = () => shop.env.QUORLOCK_NODES.split(',')

/** Holds a key as a process elsewhere would, until the test ends. */
async function hold(t, key) {
  const redlock = new Redlock({ nodes: nodes() })
  t.after(() => redlock.close({ timeout: 0 }))
  return redlock.acquire(key, 30_000, { renew: true })
}

/** Until orders go through again. */
const works = () =>
  until(async () => {
    const { variantId } = await shop.variant(1)
    return (await shop.order({ variantId })).status === 201
  }, LIMIT)

test('an order whose product is locked elsewhere is told to come again, and finds its way when it does', async (t) => {
  const { variantId, productId } = await shop.variant(1)
  const lock = await hold(t, `lock:product:${productId}`)
  const order = { variantId, userId: unique('user'), key: unique('key') }
  const { status, body, retryAfter } = await shop.order(order)
  assert.deepEqual([status, body.code], [409, 'ERR_LOCK_CONTENDED'])
  assert.ok(retryAfter >= 1)
  await lock.release()
  assert.equal((await shop.order(order)).status, 201)
})

test('locks that a test has left behind are cleared, others stay', async (t) => {
  const { variantId, productId } = await shop.variant(1)
  await hold(t, `lock:product:${productId}`)
  const other = await hold(t, `lock:product:${unique('real').slice('test-'.length)}`)
  const { status, body } = await shop.client.post('/api/v1/test/locks/clear-test-locks')
  assert.equal(status, 200)
  for (const { cleared } of body.nodes) assert.deepEqual(cleared, [`lock:product:${productId}`])
  assert.equal(other.isHeld, true)
  assert.equal((await shop.order({ variantId })).status, 201)
})

test('the status counts what this process holds, by kind, under both addresses', async () => {
  const { variantId, productId } = await shop.variant(1)
  const client = shop.clientOf(0)
  const placed = shop.order({ variantId, userId: 'test-eva', key: 'k' }, client)
  for (const path of ['/api/v1/locks/status', '/api/v1/test/locks/status']) {
    const status = await until(async () => {
      const { body } = await client.get(path)
      return body.locks.some(({ key }) => key === `lock:product:${productId}`) && body
    }, LIMIT)
    assert.equal(status.pid, shop.applications[0].pid)
    assert.deepEqual(status.byKind.orderCreation, { held: 1, waiting: 0 })
    const locks = status.locks.filter(({ key }) => key !== 'lock:order_sweep') // which one has at any time
    assert.deepEqual(locks.map(({ kind, key }) => `${kind} ${key}`).sort(), [
      `custom lock:product:${productId}`,
      'orderCreation lock:order_creation_test-eva_k',
    ])
    assert.deepEqual(
      status.instances.map(({ name, nodes }) => [name, ...nodes.map(({ state }) => state)]),
      [
        ['default', 'up', 'up', 'up'],
        ['fenced', 'up', 'up', 'up'],
      ],
    )
  }
  assert.equal((await placed).status, 201)
})

test('more orders than a process works on at once are told to come again, and everybody is served in the end', async () => {
  const { variantId } = await shop.variant(2)
  const answers = await Promise.all(Array.from({ length: 80 }, () => shop.order({ variantId })))
  const busy = answers.filter(({ status }) => status === 429)
  assert.ok(busy.length > 0)
  for (const { body, retryAfter } of busy) assert.deepEqual([body.code, retryAfter], ['BUSY', 3])
  assert.deepEqual(
    [...new Set(answers.map(({ status }) => status))].filter((status) => ![201, 409, 429].includes(status)),
    [],
  )
  assert.ok((await shop.stock(variantId)) >= 0)
})

test('many decrements at once leave what they say', async () => {
  const { variantId } = await shop.variant(30)
  const decremented = await shop.client.post('/api/v1/test/inventory/test-decrement', { variantId, quantity: 2 })
  assert.deepEqual(decremented.body, { variantId, stock: 28 })
  const { status, body } = await shop.client.post('/api/v1/test/inventory/test-concurrent-access', {
    ...{ variantId, quantity: 3, requests: 20 },
  })
  assert.equal(status, 200)
  assert.deepEqual(body, {
    ...{ variantId, requests: 20, succeeded: 9, refusals: { NOT_ENOUGH_STOCK: 11 } },
    ...{ before: 28, after: 1, consistent: true },
  })
})

test('one node of three that hangs is a degraded health, and orders go on', async () => {
  shop.nodes[0].suspend()
  try {
    await until(async () => (await shop.client.get('/health')).body.details.locks.status === 'degraded', LIMIT)
    assert.equal((await shop.client.get('/health')).status, 200)
    await works()
  } finally {
    shop.nodes[0].continue()
  }
  await until(async () => (await shop.client.get('/health')).body.details.locks.status === 'up', LIMIT)
})

test('a process that is killed in the middle of an order loses nothing: the same request gives one order', async () => {
  const { variantId } = await shop.variant(3)
  const order = { variantId, userId: unique('user'), key: unique('key') }
  const client = shop.clientOf(1)
  const asked = shop.order(order, client).then(
    () => 'answered',
    () => 'no answer',
  )
  await until(async () => (await client.get('/api/v1/locks/status')).body.byKind.orderCreation.held > 0, LIMIT)
  await shop.applications[1].kill()
  assert.equal(await asked, 'no answer')
  // Its locks are free when their ttl has passed; until then the answer is 409.
  const { body } = await until(async () => {
    const answer = await shop.order(order)
    assert.ok([200, 201, 409, 503].includes(answer.status))
    return answer.status < 300 && answer
  }, LIMIT)
  assert.equal(await shop.stock(variantId), 2)
  await shop.applications[1].start()
  assert.equal((await shop.order(order, shop.clientOf(1))).body.id, body.id)
  assert.equal(await shop.stock(variantId), 2)
})

test('the queue survives all its processes: killed in the middle of a thousand orders, each is confirmed once', async () => {
  const orders = 1000
  const { variantId } = await shop.variant(0)
  await shop.sql(
    `INSERT INTO orders (id, user_id, idempotency_key, variant_id, quantity, status)
     SELECT gen_random_uuid(), 'crowd', $1 || n, $1, 1, 'accepted' FROM generate_series(1, $2::int) AS n`,
    [variantId, orders],
  )
  const counted = async () => {
    const [row] = await shop.sql(
      `SELECT count(*)::int AS lines, count(DISTINCT order_id)::int AS confirmed FROM confirmations
         JOIN orders ON orders.id = order_id WHERE variant_id = $1`,
      [variantId],
    )
    return row
  }
  await until(async () => (await counted()).confirmed > 0, LIMIT)
  await Promise.all(shop.applications.map((application) => application.kill()))
  assert.ok((await counted()).confirmed < orders, 'killed in the middle')
  await Promise.all(shop.applications.map((application) => application.start()))
  await until(async () => (await counted()).confirmed === orders, { ...LIMIT, deadline: 120_000 })
  assert.equal((await counted()).lines, orders)
  const states = await shop.sql('SELECT DISTINCT status FROM orders WHERE variant_id = $1', [variantId])
  assert.deepEqual(states, [{ status: 'confirmed' }])
})

const ENDPOINTS = [
  ...['GET /', 'GET /health', 'GET /metrics', 'GET /api/v1/live'],
  ...['POST /api/v1/orders', 'GET /api/v1/orders/{id}', 'POST /api/v1/orders/{id}/cancel'],
  ...['GET /api/v1/inventory', 'GET /api/v1/inventory/{variantId}'],
  ...['POST /api/v1/inventory', 'POST /api/v1/inventory/{variantId}/adjust'],
  ...['GET /api/v1/locks/status', 'GET /api/v1/test/locks/status'],
  ...['POST /api/v1/test/inventory/test-decrement', 'POST /api/v1/test/inventory/test-concurrent-access'],
  'POST /api/v1/test/locks/clear-test-locks',
]

test('there are metrics, and a description of all endpoints', async () => {
  const client = shop.clientOf(0)
  assert.equal((await shop.order(await shop.variant(1), client)).status, 201)
  const { body: metrics } = await client.get('/metrics')
  for (const line of [
    /^flash_sale_answers_total\{status="201"\} [1-9]/m,
    /^quorlock_acquire_seconds_count\{redlock="default",key_class="orderCreation",outcome="acquired"\} [1-9]/m,
    /^quorlock_acquire_seconds_count\{redlock="fenced",key_class="inventory",outcome="acquired"\} [1-9]/m,
    /^quorlock_node_up\{redlock="fenced",node="127.0.0.1:\d+"\} 1$/m,
    /^process_cpu_seconds_total /m,
  ]) {
    assert.match(metrics, line)
  }
  const { body } = await client.get('/api/openapi.json')
  const described = Object.entries(body.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  assert.deepEqual(described.sort(), ENDPOINTS.toSorted())
  const { content } = body.paths['/metrics'].get.responses['200']
  assert.deepEqual(content, { 'text/plain': { schema: { type: 'string' } } })
  const answers = body.paths['/api/v1/orders'].post.responses
  assert.deepEqual(Object.keys(answers).sort(), ['200', '201', '400', '404', '409', '429', '503'])
})

test('without NODE_ENV=test there are no test endpoints, but the status', async (t) => {
  const { Application } = await load('application.mjs')
  const { Client } = await load('client.mjs')
  const application = new Application({ ...shop.env, NODE_ENV: 'production' })
  t.after(() => application.close())
  await application.start()
  const client = new Client(application.url)
  t.after(() => client.close())
  const body = { variantId: 'a', quantity: 1, requests: 1 }
  for (const path of ['inventory/test-decrement', 'inventory/test-concurrent-access', 'locks/clear-test-locks']) {
    assert.equal((await client.post(`/api/v1/test/${path}`, body)).status, 404)
  }
  assert.equal((await client.get('/api/v1/test/locks/status')).status, 200)
})

test('the queue that is away keeps nobody from buying, and catches up', async () => {
  const { Redis } = requireDependency('ioredis')
  const queue = new Redis(shop.env.QUEUE_URL)
  try {
    await queue.call('CLIENT', 'PAUSE', '3000', 'ALL') // it accepts commands and answers nothing meanwhile
    const { variantId } = await shop.variant(1)
    const { status, body } = await shop.order({ variantId })
    assert.equal(status, 201)
    await until(async () => (await shop.client.get(`/api/v1/orders/${body.id}`)).body.status === 'confirmed', LIMIT)
  } finally {
    queue.disconnect()
  }
})
