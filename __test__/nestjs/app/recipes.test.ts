// The recipes of docs/nestjs.md do what is said of them, in several applications over one database.

import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { ConflictException } from '@nestjs/common'
import { RedlockModule } from 'quorlock/nestjs'
import { Database, OrderProcessor, OrdersController, OrdersService, ReportsService } from './recipes.js'
import { memory, start } from './support.js'

async function cluster(t: Parameters<typeof start>[0], size = 3) {
  const db = new Database()
  const nodes = memory()
  const providers = [{ provide: Database, useValue: db }, OrdersService, OrderProcessor, ReportsService]
  const metadata = () => ({ imports: [RedlockModule.forRoot({ nodes })], providers, controllers: [OrdersController] })
  return { db, apps: await Promise.all(Array.from({ length: size }, () => start(t, metadata()))) }
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

test('idempotent order: the same request twice is one order', async (t) => {
  const { db, apps } = await cluster(t)
  const order = { productId: 'p1', quantity: 1 }
  const made = await Promise.all(apps.map((app) => app.get(OrdersController).create(order, 'ann', 'k1')))
  assert.equal(new Set(made).size, 1)
  await apps[0]?.get(OrdersController).create(order, 'ann', 'k2')
  assert.equal(db.byKey.size, 2)
})

test('queue worker: a job that is given out again is not done again', async (t) => {
  const { db, apps } = await cluster(t)
  const job = { id: '7', data: { productId: 'p1', quantity: 1 } }
  const made = await Promise.all(apps.map((app) => app.get(OrderProcessor).process(job)))
  assert.deepEqual(new Set(made), new Set([job.data]))
  assert.equal(db.byKey.size, 1)
})

test('cron: once for each day, wherever it fires', async (t) => {
  const { db, apps } = await cluster(t)
  await Promise.all(apps.map((app) => app.get(ReportsService).nightly()))
  await apps[0]?.get(ReportsService).nightly() // a clock that is late
  assert.deepEqual(db.reports, ['2026-11-21'])
})
