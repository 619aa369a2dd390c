// The end of an application: who is refused, who may finish, and in which order.

import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { Injectable } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { Test } from '@nestjs/testing'
import { type Lock, RedlockClosedError } from 'quorlock'
import { RedlockModule, RedlockService, WithLock } from 'quorlock/nestjs'
import {
  collectGarbage,
  failureOf,
  freePort,
  gate,
  memory,
  moduleOf,
  nest,
  type Server,
  servers,
  until,
} from './support.js'

const timeline: string[] = []

/** As a queue's worker: works until Nest's last hook, and there waits for the job it is at. */
@Injectable()
class Worker {
  jobs: Promise<unknown>[] = []
  lock: Lock | undefined
  constructor(readonly redlock: RedlockService) {}

  @WithLock('lock:job', { ttl: 1000 })
  async next() {
    return 'worked'
  }

  @WithLock('lock:first', { ttl: 1000, wait: 60_000, whenContended: 'skip' })
  async spare(): Promise<unknown> {
    return 'worked'
  }

  work(done: Promise<void>) {
    const job = this.redlock.withLock('lock:first', 1000, async (lock) => {
      this.lock = lock
      await done
      return lock.isHeld
    })
    this.jobs.push(job)
    return job
  }

  beforeApplicationShutdown() {
    timeline.push('before')
  }

  async onApplicationShutdown() {
    await Promise.allSettled(this.jobs)
    timeline.push(`worker: redlock ${this.redlock.stats().nodes[0]?.state}`)
  }
}

const workers = () => moduleOf({ providers: [Worker], exports: [Worker] })

const first = (redlock: object, other: object) => [redlock, other]
const last = (redlock: object, other: object) => [other, redlock]

async function begin(options: object, order = first) {
  const redlock = RedlockModule.forRoot({ nodes: memory(), isGlobal: true, logger: false, ...options })
  // biome-ignore lint/suspicious/noExplicitAny: imports
  const module = moduleOf({ imports: order(redlock, workers()) as any })
  const app = await NestFactory.createApplicationContext(module, { logger: false, abortOnError: false })
  timeline.length = 0
  return { app, redlock: app.get(RedlockService, { strict: false }), worker: app.get(Worker, { strict: false }) }
}

test('a running section finishes, who waits is told, and nothing new begins', async () => {
  const { app, redlock, worker } = await begin({})
  const { opened, open: done } = gate()
  const job = worker.work(opened)
  await until(() => worker.lock !== undefined)
  const waiting = assert.rejects(redlock.acquire('lock:first', 1000, { wait: 60_000 }), { code: 'ERR_REDLOCK_CLOSED' })
  const skipped = assert.rejects(worker.spare(), { code: 'ERR_REDLOCK_CLOSED' })
  const closing = app.close()
  await waiting
  await assert.rejects(worker.next(), { code: 'ERR_REDLOCK_CLOSED' })
  // Nobody else is at that work: who is told that it was skipped would take it for done.
  await skipped
  await assert.rejects(worker.spare(), { code: 'ERR_REDLOCK_CLOSED' })
  assert.equal(worker.lock?.isHeld, true)
  // longer than its ttl: it goes on being renewed
  await until(() => redlock.stats().extended > 3, { what: 'several renewals' })
  assert.equal(worker.lock?.isHeld, true)
  done()
  assert.equal(await job, true)
  await closing
  assert.equal(redlock.stats().nodes[0]?.state, 'closed')
  assert.equal(redlock.stats().lost, 0)
  // Nest 10 ends what is imported before what imports it.
  const expected = nest === 10 ? 'worker: redlock closed' : 'worker: redlock up'
  assert.deepEqual(timeline, ['before', expected])
})

test("'skip' is for contention, not for a fallback that was closed, nor for the end of the application", async () => {
  const closed = new RedlockClosedError('the fallback was closed')
  const fallback = { createLock: () => assert.fail(), withLock: () => Promise.reject(closed) }
  const away = `redis://127.0.0.1:${await freePort()}`
  const { app, worker } = await begin({ nodes: away, fallback, fallbackAfter: 0 })
  assert.equal(await failureOf(worker.spare()), closed)
  await app.close()
  assert.equal((await failureOf(worker.spare())).code, 'ERR_REDLOCK_CLOSED')
})

test('a section that does not end is told after shutdownTimeout, and the application closes', async () => {
  const { app, redlock } = await begin({ shutdownTimeout: 20 })
  const { opened, open: done } = gate()
  let reason: unknown
  const section = redlock.withLock('lock:hangs', 5000, async ({ signal }) => {
    signal.addEventListener('abort', () => {
      reason = (signal.reason as { reason: string }).reason
    })
    await opened
  })
  await until(() => redlock.stats().held === 1)
  const since = performance.now()
  await app.close()
  assert.equal(reason, 'closed')
  assert.ok(performance.now() - since < 4000, 'it waited for its default')
  done()
  await section
})

test('global, it is the last to end from Nest 11 on; in Nest 10 where it is imported last', async () => {
  for (const order of [first, last]) {
    const { app } = await begin({}, order)
    await app.close()
    const isEarly = nest === 10 && order === first
    assert.deepEqual(timeline, ['before', `worker: redlock ${isEarly ? 'closed' : 'up'}`])
  }
})

test('of two global modules the one that was imported first ends last, and in Nest 10 first', async () => {
  for (const order of [first, last]) {
    const { app } = await begin({}, (redlock) => order(redlock, { module: workers(), global: true }))
    await app.close()
    const isEarly = nest === 10 ? order === first : order === last
    assert.deepEqual(timeline, ['before', `worker: redlock ${isEarly ? 'closed' : 'up'}`])
  }
})

test('an application whose start failed can be closed, and its Redlock is', async () => {
  class Failing {
    onModuleInit() {
      throw new Error('half-way')
    }
  }
  const redlock = RedlockModule.forRoot({ nodes: memory(), logger: false })
  const module = moduleOf({ imports: [redlock], providers: [Failing] })
  const app = (await Test.createTestingModule({ imports: [module] }).compile()).createNestApplication()
  const service = app.get(RedlockService, { strict: false })
  await assert.rejects(app.init(), /half-way/)
  await app.close()
  await assert.rejects(service.acquire('key', 1000), { code: 'ERR_REDLOCK_CLOSED' })
})

test('an application whose start failed and that nobody closed: nothing keeps its Redlock, nor its connections', async (t) => {
  const [server] = (await servers(t, 1)) as [Server]
  const connected = async () => String(await server.command('CLIENT', 'LIST')).split('name=never-started').length - 1
  class Failing {
    constructor(readonly redlock: RedlockService) {}
    async onModuleInit() {
      await this.redlock.connect()
      throw new Error('half-way')
    }
  }
  Reflect.defineMetadata('design:paramtypes', [RedlockService], Failing)
  // with Nest's logger, which is what watches the instance
  const begin = (i: number) => {
    const redlock = RedlockModule.forRoot({ nodes: server.url, clientName: `never-started-${i}` }) // else they share one
    const module = moduleOf({ imports: [redlock], providers: [Failing] })
    return NestFactory.createApplicationContext(module, { logger: false, abortOnError: false })
  }
  for (let i = 0; i < 4; i += 1) await assert.rejects(begin(i), /half-way/)
  const isLess = async () => {
    collectGarbage()
    return (await connected()) <= 1 // Nest may still know the last one
  }
  await until(isLess, { what: 'the connections of those that failed end' })
})

test('a shutdown hook that fails stops nobody', async () => {
  const { app, redlock } = await begin({})
  await redlock.close()
  await app.close()
  const broken = await begin({})
  broken.redlock.close = () => Promise.reject(new Error('broken'))
  await broken.app.close()
  assert.equal(timeline.at(-1)?.startsWith('worker'), true)
})
