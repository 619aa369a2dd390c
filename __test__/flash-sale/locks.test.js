'use strict'

// The status says who holds and who waits, by kind: also where another process holds the lock, and while the fallback gives
// the locks.

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { Redlock } = require('../..')
const { until } = require('../support/until')
const { request, useShop } = require('./shop')

const LIMIT = { deadline: 60_000, every: 20 }
const shop = useShop({ processes: 2, env: { NODE_ENV: 'test', PAYMENT_MS: '1000', ORDER_WAIT_MS: '60000' } })

const adjust = (variantId, by) => shop.adjust(variantId, 1, { by })

/** The status of one process as soon as it is so. */
const statusWhere = (client, condition) =>
  until(async () => {
    const { body } = await client.get('/api/v1/locks/status')
    return condition(body) && body
  }, LIMIT)

test('who waits for a lock of another process is counted by its kind', async (t) => {
  const { variantId, productId } = await shop.variant(2)
  const [one, other] = [shop.clientOf(0), shop.clientOf(1)]
  const key = `lock:product:${productId}`
  const same = request(variantId)
  const orders = [shop.order(same, one)]
  const holder = await statusWhere(one, ({ locks }) => locks.some((lock) => lock.key === key))
  assert.equal(holder.locks.find((lock) => lock.key === key).degraded, false)
  orders.push(shop.order(same, other), shop.order(request(variantId), other))

  const waiting = await statusWhere(
    other,
    ({ byKind }) => byKind.custom.waiting > 0 && byKind.orderCreation.waiting > 0,
  )
  assert.equal(waiting.byKind.orderCreation.waiting, 1)
  assert.equal(waiting.byKind.custom.waiting, 1)
  assert.deepEqual(
    waiting.waits.find((wait) => wait.key === key),
    { kind: 'custom', key, waiting: 1 },
  )
  assert.deepEqual((await Promise.all(orders)).map(({ status }) => status).sort(), [200, 201, 201])

  const elsewhere = new Redlock({ nodes: shop.env.QUORLOCK_NODES.split(',') })
  t.after(() => elsewhere.close({ timeout: 0 }))
  const lock = await elsewhere.acquire(`inventory_lock:${variantId}`, 30_000, { renew: true })
  const adjusted = [adjust(variantId, one), adjust(variantId, one)]
  const { byKind, waits } = await statusWhere(one, (status) => status.byKind.inventory.waiting === 2)
  assert.equal(byKind.inventory.held, 0)
  assert.deepEqual(waits, [{ kind: 'inventory', key: `inventory_lock:${variantId}`, waiting: 2 }])
  await lock.release()
  assert.deepEqual(
    (await Promise.all(adjusted)).map(({ status }) => status),
    [200, 200],
  )
  const end = await statusWhere(
    one,
    ({ waiting, locks }) => waiting === 0 && locks.every(({ key }) => /sweep/.test(key)),
  )
  assert.deepEqual(end.byKind.inventory, { held: 0, waiting: 0 })
})

test('while all nodes are stopped, locks and waiters of the fallback are shown', async (t) => {
  const { variantId, productId } = await shop.variant(2)
  const client = shop.clientOf(0)
  const endRow = await shop.keepRows(t, variantId)
  for (const node of shop.nodes) node.suspend()
  try {
    const orders = [shop.order(request(variantId), client), shop.order(request(variantId), client)]
    // The first has paid, and waits for the row with all its locks in hand.
    const found = await statusWhere(client, ({ byKind }) => byKind.inventory.held > 0)
    assert.deepEqual(found.byKind.inventory, { held: 1, waiting: 0 })
    assert.deepEqual(found.byKind.orderCreation, { held: 2, waiting: 0 })
    assert.equal(found.byKind.custom.waiting, 1)
    const product = found.locks.find(({ key }) => key === `lock:product:${productId}`)
    assert.deepEqual([product.kind, product.degraded, product.waiting], ['custom', true, 1])
    assert.ok(found.locks.every(({ degraded, remaining }) => degraded && remaining > 0))
    assert.equal(found.held, found.locks.length)
    assert.equal(found.waiting, 1)

    const adjusted = adjust(variantId, client)
    await statusWhere(client, ({ byKind }) => byKind.inventory.waiting === 1)
    await endRow()
    assert.deepEqual(
      (await Promise.all([...orders, adjusted])).map(({ status }) => status),
      [201, 201, 200],
    )
  } finally {
    for (const node of shop.nodes) node.continue()
  }
})
