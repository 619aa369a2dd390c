// A shutdown that waits for a request, while a queue goes on giving out jobs: BullMQ's workers work until Nest's last hook.

import { strict as assert } from 'node:assert'
import { type TestContext, test } from 'node:test'
import { BullModule, Processor, WorkerHost } from '@nestjs/bullmq'
import { Controller, Get, type INestApplication } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { type Job, Queue } from 'bullmq'
import { RedlockModule, RedlockService, WithLock } from 'quorlock/nestjs'
import { Database, OrderProcessor } from './recipes.js'
import { gate, isRefusing, moduleOf, nest, servers, until } from './support.js'

const SKIPPING = 'skipping'
const ORDERS = 'orders'

@Processor(SKIPPING)
class Skipping extends WorkerHost {
  ran = 0

  @WithLock((job: Job<{ id: number }>) => `lock:${job.data.id}`, { ttl: 5000, wait: 0, whenContended: 'skip' })
  async process(_job: Job<{ id: number }>): Promise<string | undefined> {
    this.ran += 1
    return 'ran'
  }
}

/** A request that is answered when somebody says so. */
@Controller('slow')
class Slow {
  readonly #answer = gate()
  isAsked = false
  readonly answer = this.#answer.open

  @Get()
  async get() {
    this.isAsked = true
    await this.#answer.opened
    return 'answered'
  }
}

/** Lock servers, the first of which is the queue's, too. What uses them is closed before they stop. */
async function begin(t: TestContext) {
  const applications: INestApplication[] = []
  const queues: Queue[] = []
  t.after(async () => {
    await Promise.all(queues.map((queue) => queue.close()))
    for (const app of applications) {
      app.get(Slow).answer()
      await app.close()
    }
  })
  const nodes = await servers(t)
  const { port } = nodes[0] as (typeof nodes)[0]
  const connection = { host: '127.0.0.1', port, maxRetriesPerRequest: null }
  const queueOf = (name: string) => {
    const queue = new Queue(name, { connection })
    queues.push(queue)
    return queue
  }
  const db = new Database()
  const application = async () => {
    const redlock = RedlockModule.forRoot({ nodes: nodes.map(({ url }) => url), isGlobal: true, logger: false })
    const queue = BullModule.registerQueue({ name: SKIPPING }, { name: ORDERS })
    const others = [BullModule.forRoot({ connection }), queue]
    const imports = nest === 10 ? [...others, redlock] : [redlock, ...others]
    const providers = [Skipping, OrderProcessor, { provide: Database, useValue: db }]
    const module = moduleOf({ imports, providers, controllers: [Slow] })
    const app: INestApplication = await NestFactory.create(module, new ExpressAdapter(), { logger: false })
    applications.push(app)
    await app.listen(0, '127.0.0.1')
    return app
  }
  return { application, queueOf, db }
}

/** Closes `app` while a request is under way: jobs are still given out, and no locks. */
async function close(app: INestApplication) {
  const slow = app.get(Slow)
  const request = fetch(`http://127.0.0.1:${app.getHttpServer().address().port}/slow`)
  await until(() => slow.isAsked, { what: 'the request is under way' })
  const closing = app.close()
  await until(() => isRefusing(app.get(RedlockService)), { what: 'the shutdown has begun' })
  const finish = async () => {
    slow.answer()
    assert.equal(await (await request).text(), 'answered')
    await closing
  }
  return { finish }
}

const jobs = [1, 2, 3].map((id) => ({ name: 'job', data: { id, productId: `p${id}`, quantity: 1 } }))

/** Resolves when the worker of `queue` has had all of them. */
async function allEnded(queue: Queue) {
  const has = ({ completed = 0, failed = 0 }) => completed + failed === jobs.length
  await until(async () => has(await queue.getJobCounts('completed', 'failed')), { what: 'the worker has had all jobs' })
}

test("with 'skip', jobs that come during a shutdown, and that nobody does, are not completed", async (t) => {
  const { application, queueOf } = await begin(t)
  const queue = queueOf(SKIPPING)
  const app = await application()
  const { finish } = await close(app)
  await queue.addBulk(jobs)
  await allEnded(queue)
  assert.equal(app.get(Skipping).ran, 0)
  assert.deepEqual(await queue.getJobCounts('completed', 'failed'), { completed: 0, failed: jobs.length })
  await finish()
  for (const { failedReason } of await queue.getFailed()) assert.match(failedReason, /closed/)
})

test('a worker that is paused before, as in the recipe, leaves such jobs and their attempts to others', async (t) => {
  const { application, queueOf, db } = await begin(t)
  const [queue, unpaused] = [queueOf(ORDERS), queueOf(SKIPPING)]
  const { finish } = await close(await application())
  await queue.addBulk(jobs)
  await unpaused.addBulk(jobs)
  await allEnded(unpaused) // and so would the others have
  await finish()
  const states = ['wait', 'active', 'completed', 'failed'] as const
  assert.deepEqual(await queue.getJobCounts(...states), { wait: jobs.length, active: 0, completed: 0, failed: 0 })
  assert.equal(db.queued.size, 0)
  await application()
  await allEnded(queue)
  assert.equal(db.queued.size, jobs.length)
  for (const job of await queue.getCompleted()) assert.equal(job.attemptsMade, 1)
})
