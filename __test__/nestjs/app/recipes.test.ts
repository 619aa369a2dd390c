// The recipes of docs/nestjs.md do what is said of them, in several applications over one database.

import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { ConflictException } from '@nestjs/common'
import type { Job, Worker } from 'bullmq'
import { RedlockModule } from 'quorlock/nestjs'
import { TestRedlock } from 'quorlock/testing'
import {
  Database,
  InventoryService,
  OrderProcessor,
  OrdersController,
  OrdersService,
  type QueuedOrder,
  ReportsService,
} from './recipes.js'
import { gate, memory, start } from './support.js'

/** Without BullMQ, which gives a processor its worker; worker-shutdown.test.ts has it. */
class Processor extends OrderProcessor {
  override get worker() {
    return { pause: async () => {} } as Worker
  }
}

async function cluster(t: Parameters<typeof start>[0], size = 3) {
  const db = new Database()
  const nodes = memory()
  const services = [OrdersService, InventoryService, ReportsService]
  const processor = { provide: OrderProcessor, useClass: Processor }
  const providers = [{ provide: Database, useValue: db }, processor, ...services]
  const imports = () => [RedlockModule.forRoot({ nodes, fencing: true })]
  const metadata = () => ({ imports: imports(), providers, controllers: [OrdersController] })
  return { db, apps: await Promise.all(Array.from({ length: size }, () => start(t, metadata()))) }
}

/** As two processes have them. */
function twoServices() {
  const one = new TestRedlock({ fencing: true })
  return [one, new TestRedlock({ fencing: true, with: one })] as const
}

test('flash sale: no more than there is', async (t) => {
  const { db, apps } = await cluster(t)
  const orders = Array.from({ length: 12 }, (_, i) =>
    apps[i % apps.length]?.get(OrdersService).place({ productId: 'p1', quantity: 1 }),
  )
  const outcomes = await Promise.allSettled(orders)
  const refused = outcomes.filter((outcome) => outcome.status === 'rejected')
  assert.equal(db.orders.length, 3)
  assert.equal(refused.length, 9)
  assert.ok(refused.every(({ reason }) => reason instanceof ConflictException))
})

test('flash sale: who is killed between taking from stock and writing the order has done neither', async (t) => {
  const { db, apps } = await cluster(t, 1)
  const killed: Database['transaction'] = (work) =>
    Database.prototype.transaction.call(db, async (rows: Parameters<typeof work>[0]) => {
      rows.insertOrder = async () => {
        throw new Error('killed')
      }
      return work(rows)
    }) as ReturnType<typeof work>
  db.transaction = killed
  await assert.rejects(Promise.resolve(apps[0]?.get(OrdersService).place({ productId: 'p1', quantity: 1 })), /killed/)
  assert.deepEqual([db.stock.get('p1'), db.orders.length], [3, 0])
})

test('inventory: up and down in all applications, and never below zero', async (t) => {
  const { db, apps } = await cluster(t)
  const inventories = apps.map((app) => app.get(InventoryService))
  const changes = await Promise.allSettled([-1, -1, 2, -1, -1, -1].map((by, i) => inventories[i % 3]?.adjust('v1', by)))
  assert.ok(changes.every(({ status }) => status === 'fulfilled'))
  assert.equal(db.variants.get('v1')?.stock, 0)
  await assert.rejects(Promise.resolve(inventories[0]?.adjust('v1', -1)), /sold out/)
  assert.equal(db.variants.get('v1')?.stock, 0)
})

test('inventory: who has lost the lock without knowing writes nothing', async () => {
  const db = new Database()
  const { opened, open } = gate()
  const sleepy: Pick<Database, 'transaction'> = { transaction: (work) => opened.then(() => db.transaction(work)) }
  const [one, other] = twoServices()
  const late = new InventoryService(one, sleepy as Database).adjust('v1', -1)
  await one.loseLock('inventory_lock:v1')
  assert.equal(await new InventoryService(other, db).adjust('v1', 5), 8)
  open()
  await assert.rejects(late, /somebody else has had the lock since/)
  assert.equal(db.variants.get('v1')?.stock, 8)
})

test('idempotent order: the same request twice is one order', async (t) => {
  const { db, apps } = await cluster(t)
  const order = { productId: 'p1', quantity: 1 }
  const made = await Promise.all(apps.map((app) => app.get(OrdersController).create(order, 'ann', 'k1')))
  assert.equal(new Set(made).size, 1)
  await apps[0]?.get(OrdersController).create(order, 'ann', 'k2')
  assert.equal(db.byKey.size, 2)
})

test('idempotent order: who is told by the constraint that he comes second gets the order of the first', async (t) => {
  const { db, apps } = await cluster(t, 1)
  const first = { productId: 'p1', quantity: 1 }
  // He has looked, lost the lock, and writes after another who has had it since.
  t.mock.method(db, 'findByKey', async () => void db.byKey.set('ann k1', first), { times: 1 })
  assert.equal(await apps[0]?.get(OrdersController).create({ ...first }, 'ann', 'k1'), first)
  t.mock.method(db, 'insertByKey', async () => Promise.reject(new Error('the database is away')), { times: 1 })
  await assert.rejects(Promise.resolve(apps[0]?.get(OrdersController).create(first, 'ann', 'k2')), /is away/)
})

const jobOf = (id: string, data: QueuedOrder) => ({ id, data }) as Job<QueuedOrder>

test('queue worker: a job that is given out again is not done again', async (t) => {
  const { db, apps } = await cluster(t)
  const order = { id: 'o7', productId: 'p1', quantity: 1 }
  const made = await Promise.all(apps.map((app, i) => app.get(OrderProcessor).process(jobOf(String(i), order))))
  assert.deepEqual(new Set(made), new Set([order]))
  assert.equal(db.queued.size, 1)
})

test('queue worker: a queue that counts its jobs from one again drops no order', async (t) => {
  const { db, apps } = await cluster(t, 1)
  for (const id of ['o1', 'o2']) {
    await apps[0]?.get(OrderProcessor).process(jobOf('1', { id, productId: 'p1', quantity: 1 }))
  }
  assert.deepEqual([...db.queued.keys()], ['o1', 'o2'])
})

test('cron: once for each day, wherever it fires', async (t) => {
  const { db, apps } = await cluster(t)
  await Promise.all(apps.map((app) => app.get(ReportsService).nightly()))
  await apps[0]?.get(ReportsService).nightly() // a clock that is late
  assert.deepEqual(db.reports, ['2026-11-21'])
})
