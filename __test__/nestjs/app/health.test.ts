// The health indicator, over real servers that stop one by one.

import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { Controller, Get, type INestApplication } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { HealthCheckService, TerminusModule } from '@nestjs/terminus'
import { Redlock } from 'quorlock'
import { RedlockModule, RedlockService } from 'quorlock/nestjs'
import { RedlockHealthIndicator } from 'quorlock/nestjs/terminus'
import { failureOf, memory, moduleOf, nest, servers, start, until } from './support.js'

@Controller('health')
class Health {
  constructor(
    readonly health: HealthCheckService,
    readonly redlock: RedlockHealthIndicator,
  ) {}

  @Get()
  check() {
    return this.health.check([() => this.redlock.isHealthy()])
  }
}

const parts = { providers: [RedlockHealthIndicator], controllers: [Health] }

test('all nodes up, then degraded, then down; and nothing is written', async (t) => {
  const nodes = await servers(t)
  const redlock = RedlockModule.forRoot({ nodes: nodes.map(({ url }) => url), nodeTimeout: 200, logger: false })
  const module = moduleOf({ imports: [redlock, TerminusModule.forRoot({ logger: false })], ...parts })
  const app: INestApplication = await NestFactory.create(module, new ExpressAdapter(), { logger: false })
  t.after(() => app.close())
  await app.listen(0, '127.0.0.1')
  const { port } = app.getHttpServer().address()
  const check = async () => {
    const response = await fetch(`http://127.0.0.1:${port}/health`)
    const { details } = (await response.json()) as { details: { redlock: Record<string, unknown> } }
    return { http: response.status, ...details.redlock }
  }
  type Answer = { http: number; voting?: number; status?: string; degraded?: boolean; nodes?: Record<string, string> }
  /** The answer that said so: on a busy machine the next one may say something else. */
  const becomes = async (voting: number) => {
    let answer: Answer = { http: 0 }
    const isSo = async () => {
      answer = (await check()) as Answer
      return answer.voting === voting
    }
    await until(isSo, { what: `${voting} nodes vote` })
    return answer
  }
  const { nodes: told, ...rest } = await becomes(3)
  assert.deepEqual(rest, { http: 200, status: 'up', voting: 3, quorum: 2 })
  assert.deepEqual(Object.values(told ?? {}), ['up', 'up', 'up'])

  nodes[2]?.pause()
  const half = await becomes(2)
  assert.equal(half.http, 200)
  if (nest === 12) assert.equal(half.status, 'degraded')
  else assert.deepEqual([half.status, half.degraded], ['up', true])

  nodes[1]?.pause()
  const down = await becomes(1)
  assert.deepEqual([down.http, down.status], [503, 'down'])

  nodes[1]?.resume()
  nodes[2]?.resume()
  await becomes(3)
  for (const node of nodes) {
    assert.deepEqual(await node.command('KEYS', '*'), [])
  }
})

test('nodes that answer, and refuse every vote, count as the manual says: only a call for a lock tells', async (t) => {
  const nodes = await servers(t)
  const redlock = RedlockModule.forRoot({ nodes: nodes.map(({ url }) => url), logger: false })
  const app = await start(t, { imports: [redlock, TerminusModule.forRoot({ logger: false })], ...parts })
  const service = app.get(RedlockService, { strict: false })
  await service.connect()
  for (const node of nodes) await node.command('CONFIG', 'SET', 'maxmemory', '1')
  const refused = await failureOf(service.acquire('key', 1000, { wait: 0 }))
  assert.deepEqual([refused.code, refused.votes[0].code], ['ERR_QUORUM_UNAVAILABLE', 'OOM'])
  const isSo = async () => (await app.get(RedlockHealthIndicator).isHealthy()).redlock.voting === nodes.length
  await until(isSo, { what: 'all nodes answer' })
})

test('of a name, of an instance that is given, and of one that is closing', async (t) => {
  const named = RedlockModule.forRoot({ nodes: memory(), name: 'orders', logger: false })
  const app = await start(t, { imports: [named, TerminusModule.forRoot({ logger: false })], ...parts })
  const indicator = app.get(RedlockHealthIndicator)
  const ofName = await indicator.isHealthy('orders', { name: 'orders' })
  assert.equal(ofName.orders.status, 'up')
  const redlock = new Redlock({ nodes: memory() })
  const ofOther = await indicator.isHealthy('other', { redlock, probe: 'lock:probe' })
  assert.equal(ofOther.other.status, 'up')
  redlock.drain()
  const closing = await indicator.isHealthy('other', { redlock })
  assert.deepEqual(closing, { other: { status: 'down', message: 'ERR_REDLOCK_CLOSED' } })
  await redlock.close()
  await assert.rejects(indicator.isHealthy())
  assert.throws(() => app.get(RedlockService, { strict: false }))
})
