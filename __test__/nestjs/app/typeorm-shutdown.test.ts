// The end of an application while something that is locked still needs TypeORM's database: BullMQ's worker waits for its job,
// nobody but RedlockModule for other sections. Who ends before whom is as docs/nestjs.md has it.

import { strict as assert } from 'node:assert'
import { after, before, describe, type TestContext, test } from 'node:test'
import { BullModule, Processor, WorkerHost } from '@nestjs/bullmq'
import { Global, Injectable, Module, type OnApplicationShutdown, type Provider } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { TypeOrmModule } from '@nestjs/typeorm'
import { type Job, Queue } from 'bullmq'
import { Pool } from 'pg'
import { currentLock } from 'quorlock'
import { RedlockModule, RedlockService, WithLock } from 'quorlock/nestjs'
import { PostgresLockProvider } from 'quorlock/postgres'
import { DataSource } from 'typeorm'
import { freePort, gate, isRefusing, moduleOf, nest, postgres, servers, until, within } from './support.js'

const QUEUE = 'orders'

let server: Awaited<ReturnType<typeof postgres>>

/** Locked work that goes on until somebody lets it write, and what becomes of it. */
@Injectable()
class Work {
  readonly #going = gate()
  readonly finish = this.#going.open
  isAtWork = false
  outcome: unknown

  constructor(private readonly db: DataSource) {}

  async run() {
    const lock = currentLock()
    this.isAtWork = true
    await this.#going.opened
    const isWritten = await this.db.query('INSERT INTO orders VALUES (1)').then(
      () => true,
      () => false,
    )
    this.outcome = { isWritten, isHeld: lock?.isHeld, degraded: lock?.degraded }
  }
}

@Processor(QUEUE)
class Orders extends WorkerHost {
  constructor(private readonly work: Work) {
    super()
  }

  @WithLock('lock:order', { ttl: 5000 })
  async process(_job: Job) {
    await this.work.run()
  }
}

/** As in the recipe. */
@Processor(QUEUE)
class PausedOrders extends Orders {
  async onModuleDestroy() {
    await this.worker.pause()
  }
}

/** For sections that nobody waits for, on Nest 10. */
@Injectable()
class EarlyEnd {
  constructor(private readonly redlock: RedlockService) {}

  async beforeApplicationShutdown() {
    await this.redlock.close({ timeout: 20_000 })
  }
}

/** Global, and imported before RedlockModule: on Nest 11 and 12 it ends after it. */
@Injectable()
class FallbackLocks implements OnApplicationShutdown {
  readonly pool = new Pool({ ...server.options, max: 4 })
  readonly provider = new PostgresLockProvider({ pool: this.pool })

  async onApplicationShutdown() {
    await this.provider.close({ timeout: 20 })
    await this.pool.end()
  }
}

@Global()
@Module({ providers: [FallbackLocks], exports: [FallbackLocks] })
class FallbackModule {}

/** Ends right before RedlockModule, on Nest 11 and 12. */
@Injectable()
class Last {
  hasEnded = false

  onApplicationShutdown() {
    this.hasEnded = true
  }
}

@Global()
@Module({ providers: [Last] })
class LastModule {}

const database = () => {
  const { user: username, ...options } = server.options
  return TypeOrmModule.forRoot({ type: 'postgres', username, ...options })
}

/** Locks of the nodes or, where there are none, of the fallback; and a queue. What is closed twice is closed once. */
async function begin(t: TestContext, layer: 'nodes' | 'fallback', ...providers: Provider[]) {
  const redis = await servers(t)
  const [{ port }] = redis as [(typeof redis)[0]]
  const nodes = layer === 'nodes' ? redis.map(({ url }) => url) : `redis://127.0.0.1:${await freePort()}`
  const connection = { host: '127.0.0.1', port, maxRetriesPerRequest: null }
  const queue = new Queue(QUEUE, { connection })
  const locks = RedlockModule.forRootAsync({
    isGlobal: true,
    inject: [FallbackLocks],
    useFactory: ({ provider }: FallbackLocks) => ({
      ...{ nodes, fallback: provider, fallbackAfter: 0, logger: false, shutdownTimeout: 20_000 },
    }),
  })
  const queues = [BullModule.forRoot({ connection }), BullModule.registerQueue({ name: QUEUE })]
  const imports = [database(), FallbackModule, locks, LastModule, ...queues]
  const module = moduleOf({ imports, providers: [Work, ...providers] })
  const app = await NestFactory.createApplicationContext(module, { logger: false, abortOnError: false })
  let closing: Promise<void> | undefined
  const close = () => {
    closing ??= app.close()
    return closing
  }
  t.after(async () => {
    await queue.close()
    await close()
  })
  return { app, queue, close, work: app.get(Work), redlock: app.get(RedlockService, { strict: false }) }
}

describe('with TypeORM, BullMQ and a fallback', () => {
  before(async () => {
    server = await postgres()
    const pool = new Pool(server.options)
    await pool.query('CREATE TABLE orders (id int)')
    await pool.end()
  })
  after(() => server.stop())

  test('a job that a paused worker is at has its lock and its database', async (t) => {
    for (const layer of ['nodes', 'fallback'] as const) {
      const { app, queue, close, work } = await begin(t, layer, PausedOrders)
      await queue.add('order', {})
      await until(() => work.isAtWork, { what: 'the job is at work' })
      const closing = close()
      await until(() => app.get(PausedOrders).worker.isPaused(), { what: 'the shutdown has begun' })
      work.finish()
      await within(20_000, closing)
      assert.deepEqual(work.outcome, { isWritten: true, isHeld: true, degraded: layer === 'fallback' })
      assert.deepEqual(await queue.getJobCounts('completed', 'failed'), { completed: 1, failed: 0 })
    }
  })

  test('so has one whose worker Nest ends, on Nest 11 and 12; on Nest 10 the database ends before', async (t) => {
    for (const layer of ['nodes', 'fallback'] as const) {
      const { app, queue, close, work } = await begin(t, layer, Orders)
      const db = app.get(DataSource)
      await queue.add('order', {})
      await until(() => work.isAtWork, { what: 'the job is at work' })
      const closing = close()
      await until(() => app.get(Orders).worker.closing !== undefined, { what: 'the worker waits for its job' })
      if (nest === 10) await until(() => !db.isInitialized, { what: 'the database has ended' })
      work.finish()
      await within(20_000, closing)
      assert.deepEqual(work.outcome, { isWritten: nest !== 10, isHeld: true, degraded: layer === 'fallback' })
      assert.deepEqual(await queue.getJobCounts('completed', 'failed'), { completed: 1, failed: 0 })
    }
  })

  test('so has a section that nobody but RedlockModule waits for; on Nest 10 it has to be closed early', async (t) => {
    for (const layer of ['nodes', 'fallback'] as const) {
      const { app, close, work, redlock } = await begin(t, layer, ...(nest === 10 ? [EarlyEnd] : []))
      const section = redlock.withLock('lock:section', 5000, () => work.run())
      await until(() => work.isAtWork, { what: 'the section is at work' })
      const closing = close()
      const last = app.get(Last, { strict: false })
      await until(() => (nest === 10 ? isRefusing(redlock) : last.hasEnded), { what: 'RedlockModule waits' })
      work.finish()
      await within(20_000, closing)
      await section
      assert.deepEqual(work.outcome, { isWritten: true, isHeld: true, degraded: layer === 'fallback' })
    }
  })
})
