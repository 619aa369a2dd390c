'use strict'

// The lock nodes go away and come back while the service is asked for orders: what it sells meanwhile, and what it says.

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { until } = require('../support/until')
const { request, useShop } = require('./shop')

const LIMIT = { deadline: 60_000, every: 20 }
const shop = useShop({ processes: 1, env: { NODE_ENV: 'test', PAYMENT_MS: '300', ORDER_WAIT_MS: '5000' } })

const health = async () => {
  const { status, body } = await shop.client.get('/health')
  const { database, locks, fencedLocks, queue } = body.details
  return [status, ...[database, locks, fencedLocks, queue].map((part) => part.status)].join(' ')
}
const status = async () => (await shop.client.get('/api/v1/locks/status')).body
const degradedOf = (found) => Object.fromEntries(found.instances.map(({ name, degraded }) => [name, degraded]))
const metric = async (line) => line.test((await shop.client.get('/metrics')).body)
const fenceOf = async (variantId) =>
  (await shop.sql('SELECT fence::float8 AS fence FROM variants WHERE id = $1', [variantId]))[0].fence
const setFence = (variantId, fence) => shop.sql('UPDATE variants SET fence = $2 WHERE id = $1', [variantId, fence])

/** How an order was written: by whose lock of the product, and with which token. */
async function written({ id }) {
  const [line] = await shop.sql(
    `SELECT degraded, token::float8 AS token FROM orders JOIN stock_movements ON order_id = orders.id
      WHERE orders.id = $1`,
    [id],
  )
  return line
}

/** Until it is accepted; meanwhile every answer is one of those that say "come again". */
const bought = (order) =>
  until(async () => {
    const { status, body } = await shop.order(order)
    assert.ok([200, 201, 409, 503].includes(status), `${status} ${JSON.stringify(body)}`)
    return status < 300 && body
  }, LIMIT)

/** Until both instances have their locks from the nodes again, and ask nobody else first. */
async function recovered() {
  await until(async () => (await health()) === '200 up up up up', LIMIT)
  const { variantId } = await shop.variant(200)
  await until(async () => {
    await bought(request(variantId))
    return (await status()).instances.every(({ degraded, breaker }) => !degraded && breaker === 'closed')
  }, LIMIT)
}

test('without a quorum orders go on under the row lock alone, and everything says so; then the nodes take over', async () => {
  const { variantId } = await shop.variant(50)
  const before = await written(await bought(request(variantId)))
  assert.deepEqual([before.degraded, before.token > 0], [false, true])
  assert.equal(await fenceOf(variantId), before.token)
  assert.equal((await status()).degraded, false)
  assert.equal(await health(), '200 up up up up')

  for (const node of shop.nodes.slice(1)) node.suspend()
  try {
    const order = request(variantId)
    const first = await bought(order)
    const later = await until(async () => {
      const body = await bought(request(variantId))
      const line = await written(body)
      return line.degraded && line.token === null && body
    }, LIMIT)
    assert.notEqual(later.id, first.id)
    assert.equal((await bought(order)).id, first.id, 'the same request, the same order')
    assert.equal(await fenceOf(variantId), before.token, 'a write without a token leaves the fence where it is')

    const found = await status()
    assert.equal(found.degraded, true)
    assert.deepEqual(degradedOf(found), { default: true, fenced: true })
    await until(async () => (await status()).instances[0].breaker === 'open', LIMIT)
    await until(async () => (await health()) === '200 up degraded degraded up', LIMIT)
    assert.ok(await metric(/^quorlock_degraded\{redlock="default"\} 1$/m))
    assert.ok(await metric(/^quorlock_degraded\{redlock="fenced"\} 1$/m))
    assert.ok(
      await metric(
        /^quorlock_acquire_seconds_count\{redlock="fenced",key_class="inventory",outcome="degraded"\} [1-9]/m,
      ),
    )
  } finally {
    for (const node of shop.nodes) node.continue()
  }

  await recovered()
  assert.equal((await status()).degraded, false)
  assert.ok(await metric(/^quorlock_degraded\{redlock="default"\} 0$/m))
  const after = await written(await bought(request(variantId)))
  assert.deepEqual([after.degraded, after.token > before.token], [false, true])
  assert.equal(await fenceOf(variantId), after.token)
})

test('a fence that refuses who is late does so before and after an outage, and lets those through who have no token', async () => {
  const { variantId } = await shop.variant(3)
  const fence = Number.MAX_SAFE_INTEGER
  await setFence(variantId, fence)
  assert.equal((await shop.order({ variantId })).body.code, 'CAME_LATE')

  for (const node of shop.nodes) node.suspend()
  try {
    const line = await written(await bought(request(variantId)))
    assert.equal(line.token, null)
    assert.equal(await fenceOf(variantId), fence)
    assert.equal(await shop.stock(variantId), 2)
  } finally {
    for (const node of shop.nodes) node.continue()
  }

  await recovered()
  assert.equal((await shop.order({ variantId })).body.code, 'CAME_LATE')
  assert.equal(await shop.stock(variantId), 2)
})
