// Beside Bull, the older queue, as published, on a real Redis: @Process and its event handlers under @WithLock, in either
// order, and a shutdown while a job holds a lock.

import { strict as assert } from 'node:assert'
import { type TestContext, test } from 'node:test'
import { BullModule, getQueueToken, OnQueueCompleted, Process, Processor } from '@nestjs/bull'
import { type INestApplicationContext, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import type { Job, Queue } from 'bull'
import { currentLock, type Lock } from 'quorlock'
import { RedlockModule, RedlockService, WithLock } from 'quorlock/nestjs'
import { gate, hearLeftOut, isRefusing, moduleOf, servers, until } from './support.js'

const QUEUE = 'orders'

@Processor(QUEUE)
class Orders {
  readonly seen: unknown[] = []
  lock: Lock | undefined
  going = Promise.resolve()

  constructor(readonly redlock: RedlockService) {}

  @Process('above')
  @WithLock((job: Job<{ id: number }>) => `lock:order:${job.data.id}`, { ttl: 1000 })
  async above(job: Job<{ id: number }>) {
    return this.work(job)
  }

  @WithLock((job: Job<{ id: number }>) => `lock:order:${job.data.id}`, { ttl: 1000 })
  @Process('below')
  async below(job: Job<{ id: number }>) {
    return this.work(job)
  }

  private async work({ data }: Job<{ id: number }>) {
    this.lock = currentLock()
    this.seen.push(this.lock?.key)
    await this.going
    return { id: data.id, isHeld: this.lock?.isHeld }
  }

  @OnQueueCompleted()
  @WithLock('lock:told above', { ttl: 1000 })
  async toldAbove(_job: Job) {
    this.seen.push(currentLock()?.key)
  }

  @WithLock('lock:told below', { ttl: 1000 })
  @OnQueueCompleted()
  async toldBelow(_job: Job) {
    this.seen.push(currentLock()?.key)
  }
}

async function begin(t: TestContext) {
  let app: INestApplicationContext | undefined
  t.after(() => app?.close()) // before the servers stop
  const nodes = await servers(t)
  const { port } = nodes[0] as (typeof nodes)[0]

  @Module({ imports: [BullModule.registerQueue({ name: QUEUE })], providers: [Orders] })
  class OrdersModule {}

  const redlock = RedlockModule.forRoot({ nodes: nodes.map(({ url }) => url), isGlobal: true, logger: false })
  const module = moduleOf({
    imports: [redlock, BullModule.forRoot({ redis: { host: '127.0.0.1', port } }), OrdersModule],
  })
  app = await NestFactory.createApplicationContext(module, { logger: false, abortOnError: false })
  const queue = app.get<Queue>(getQueueToken(QUEUE), { strict: false })
  await queue.isReady()
  return { app, queue, orders: app.get(Orders, { strict: false }) }
}

test('processes and what follows from them run locked, in either order', async (t) => {
  const { queue, orders } = await begin(t)
  const jobs = [await queue.add('above', { id: 1 }), await queue.add('below', { id: 2 })]
  assert.deepEqual(await Promise.all(jobs.map((job) => job.finished())), [
    { id: 1, isHeld: true },
    { id: 2, isHeld: true },
  ])
  await until(() => orders.seen.length === 6, { what: 'what follows from both' })
  const told = ['lock:told above', 'lock:told below']
  assert.deepEqual(orders.seen.map(String).sort(), ['lock:order:1', 'lock:order:2', ...told, ...told].sort())
})

test('a job of Bull that is at work when the application shuts down keeps its lock to its end', async (t) => {
  const { opened, open: end } = gate()
  t.after(end)
  const { app, queue, orders } = await begin(t)
  const leftOut = hearLeftOut(t)
  orders.going = opened
  await queue.add('above', { id: 3 })
  await until(() => orders.lock, { what: 'the job is at work' })
  const closing = app.close()
  await until(() => isRefusing(orders.redlock), { what: 'the shutdown has begun' })
  const before = orders.redlock.stats().extended
  await until(() => orders.redlock.stats().extended > before + 3, { what: 'several renewals' })
  const completed = new Promise<{ isHeld: boolean }>((resolve) =>
    queue.once('completed', (_job, result) => resolve(result)),
  )
  end()
  assert.equal((await completed).isHeld, true)
  // The handlers come too late to get a lock: they are left out, and what nobody handles does not end the process.
  await until(() => leftOut.length === 2, { what: 'what was left out is told' })
  await closing
  assert.deepEqual(orders.seen, ['lock:order:3'])
  assert.deepEqual(leftOut.sort(), ['Orders.toldAbove', 'Orders.toldBelow'])
})
