// Beside BullMQ, the published one, on a real Redis: processors and event handlers under @WithLock, in either order, and
// a shutdown while a job holds a lock.

import { strict as assert } from 'node:assert'
import { type TestContext, test } from 'node:test'
import {
  BullModule,
  getQueueToken,
  OnQueueEvent,
  OnWorkerEvent,
  Processor,
  QueueEventsHost,
  QueueEventsListener,
  WorkerHost,
} from '@nestjs/bullmq'
import { type INestApplicationContext, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { type Job, Queue } from 'bullmq'
import { currentLock, type Lock } from 'quorlock'
import { RedlockModule, RedlockService, WithLock } from 'quorlock/nestjs'
import { gate, hearLeftOut, isRefusing, moduleOf, nest, servers, until } from './support.js'

const QUEUE = 'orders'

@Processor(QUEUE)
class Orders extends WorkerHost {
  readonly seen: unknown[] = []
  lock: Lock | undefined
  going = Promise.resolve()
  atEnd: unknown

  constructor(readonly redlock: RedlockService) {
    super()
  }

  @WithLock((job: Job<{ id: number }>) => `lock:order:${job.data.id}`, { ttl: 1000 })
  async process(job: Job<{ id: number }>) {
    this.lock = currentLock()
    this.seen.push(this.lock?.key)
    await this.going
    this.atEnd = { held: this.lock?.isHeld, node: this.redlock.stats().nodes[0]?.state }
    return job.data.id
  }

  @OnWorkerEvent('completed')
  @WithLock((job: Job<{ id: number }>) => `lock:above:${job.data.id}`, { ttl: 1000, whenContended: 'skip' })
  async above(_job: Job<{ id: number }>) {
    this.seen.push(currentLock()?.key)
  }

  @WithLock((job: Job<{ id: number }>) => `lock:below:${job.data.id}`, { ttl: 1000, whenContended: 'skip' })
  @OnWorkerEvent('completed')
  async below(_job: Job<{ id: number }>) {
    this.seen.push(currentLock()?.key)
  }

  @OnWorkerEvent('completed')
  @WithLock('lock:plain above', { ttl: 1000 })
  async plainAbove() {
    this.seen.push(currentLock()?.key)
  }

  @WithLock('lock:plain below', { ttl: 1000 })
  @OnWorkerEvent('completed')
  async plainBelow() {
    this.seen.push(currentLock()?.key)
  }
}

/** Ends when nothing is missing: what happens in the last moment is heard, too. */
@QueueEventsListener(QUEUE)
class Events extends QueueEventsHost {
  readonly seen: unknown[] = []
  going = Promise.resolve()

  @OnQueueEvent('completed')
  @WithLock('lock:event', { ttl: 1000 })
  async completed(_event: { jobId: string }) {
    this.seen.push(currentLock()?.key)
  }

  override async onApplicationShutdown() {
    await this.going
    await super.onApplicationShutdown()
  }
}

async function begin(t: TestContext) {
  let app: INestApplicationContext | undefined
  t.after(() => app?.close()) // before the servers stop: BullMQ would look for them for ever
  const nodes = await servers(t)
  const { port } = nodes[0] as (typeof nodes)[0]
  const connection = { host: '127.0.0.1', port, maxRetriesPerRequest: null }

  @Module({ imports: [BullModule.registerQueue({ name: QUEUE })], providers: [Orders, Events] })
  class OrdersModule {}

  const redlock = RedlockModule.forRoot({ nodes: nodes.map(({ url }) => url), isGlobal: true, logger: false })
  const others = [BullModule.forRoot({ connection }), OrdersModule]
  const module = moduleOf({ imports: nest === 10 ? [...others, redlock] : [redlock, ...others] })
  app = await NestFactory.createApplicationContext(module, { logger: false, abortOnError: false })
  const queue = app.get<Queue>(getQueueToken(QUEUE), { strict: false })
  const events = app.get(Events, { strict: false })
  await events.queueEvents.waitUntilReady()
  return { app, queue, connection, events, orders: app.get(Orders, { strict: false }) }
}

test('a processor and event handlers run locked, in either order', async (t) => {
  const { queue, orders, events } = await begin(t)
  await queue.add('order', { id: 7 })
  await until(() => orders.seen.length === 5, { what: 'the job and what follows from it' })
  assert.equal(orders.seen[0], 'lock:order:7')
  const expected = ['lock:above:7', 'lock:below:7', 'lock:plain above', 'lock:plain below']
  assert.deepEqual(orders.seen.slice(1).sort(), expected)
  await until(() => events.seen.length === 1, { what: 'what the queue tells of it' })
  assert.deepEqual(events.seen, ['lock:event'])
})

test('a job that is at work when the application shuts down keeps its lock to its end', async (t) => {
  const { opened, open: end } = gate()
  const { opened: told, open: leave } = gate()
  t.after(end)
  t.after(leave)
  const { app, queue, connection, orders, events } = await begin(t)
  const leftOut = hearLeftOut(t)
  orders.going = opened
  events.going = told
  const job = await queue.add('order', { id: 8 })
  await until(() => orders.lock, { what: 'the job is at work' })
  const { redlock, lock } = orders
  const closing = app.close()
  await until(() => isRefusing(redlock), { what: 'the shutdown has begun' })
  // longer than its ttl
  const before = redlock.stats().extended
  await until(() => redlock.stats().extended > before + 3, { what: 'several renewals' })
  end()
  // The handlers come too late to get a lock: they are left out, and what nobody handles does not end the process.
  await until(() => leftOut.length === 3, { what: 'what was left out is told' })
  leave()
  await closing
  assert.deepEqual(orders.atEnd, { held: true, node: 'up' })
  assert.equal(lock?.isHeld, false)
  assert.deepEqual([redlock.stats().nodes[0]?.state, redlock.stats().lost], ['closed', 0])
  assert.deepEqual([orders.seen, events.seen], [['lock:order:8'], []])
  assert.deepEqual(leftOut.sort(), ['Events.completed', 'Orders.plainAbove', 'Orders.plainBelow'])

  const later = new Queue(QUEUE, { connection })
  const state = await later.getJobState(String(job.id)).finally(() => later.close())
  assert.equal(state, 'completed')
})
