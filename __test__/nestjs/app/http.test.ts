// Controllers under @WithLock, and the exception filter, on Express and Fastify.

import { strict as assert } from 'node:assert'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { Body, Controller, Get, type INestApplication, Param, Post, Res, UseFilters } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { currentLock, LockContendedError, QuorumUnavailableError, RedlockClosedError } from 'quorlock'
import { RedlockExceptionFilter, RedlockModule, RedlockService, WithLock } from 'quorlock/nestjs'
import { memory, moduleOf } from './support.js'

@Controller('orders')
class Orders {
  @Get('above/:id')
  @WithLock((id: string) => `order:${id}`, { ttl: 5000, wait: 0 })
  async above(@Param('id') id: string) {
    return { id, key: currentLock()?.key }
  }

  @WithLock((id: string) => `order:${id}`, { ttl: 5000, wait: 0 })
  @Post('below/:id')
  async below(@Param('id') id: string, @Body() body: { amount: number }) {
    return { id, amount: body.amount, key: currentLock()?.key }
  }

  @WithLock('lock:elsewhere', { ttl: 5000, wait: 0, name: 'away' })
  @Get('away')
  async away() {}

  @Get('error/:kind')
  async error(@Param('kind') kind: string) {
    if (kind === 'contended') throw new LockContendedError('lock:secret', { key: 'lock:secret' })
    if (kind === 'retry') throw new QuorumUnavailableError('of redis-7', { retryAfter: 2001 })
    if (kind === 'soon') throw new LockContendedError('soon', { retryAfter: 0 })
    if (kind === 'reentrant') throw new LockContendedError('lock:secret', { reentrant: true })
    if (kind === 'closed') throw new RedlockClosedError('closed')
    throw new Error('other')
  }

  @Get('begun')
  async begun(@Res() response: { raw?: ServerResponse } & ServerResponse) {
    ;(response.raw ?? response).write('begun')
    throw new LockContendedError('in the middle')
  }

  @Get('over')
  async over(@Res() response: { raw?: ServerResponse } & ServerResponse) {
    ;(response.raw ?? response).end('over')
    throw new LockContendedError('too late')
  }

  @UseFilters(RedlockExceptionFilter)
  @Get('own-filter')
  async ownFilter() {
    throw new LockContendedError('own')
  }
}

/** A port where nobody listens. */
async function deadPort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

for (const [name, adapter] of [
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
] as const) {
  const begin = async (filters: RedlockExceptionFilter[]) => {
    const away = `redis://127.0.0.1:${await deadPort()}`
    const imports = [
      RedlockModule.forRoot({ nodes: memory() }),
      RedlockModule.forRoot({ nodes: away, name: 'away', logger: false }),
    ]
    const module = moduleOf({ imports, controllers: [Orders] })
    const app: INestApplication = await NestFactory.create(module, adapter(), { logger: false, abortOnError: false })
    app.useGlobalFilters(...filters)
    await app.listen(0, '127.0.0.1')
    const { port } = app.getHttpServer().address()
    const ask = async (path: string, init?: RequestInit) => {
      const response = await fetch(`http://127.0.0.1:${port}/orders/${path}`, init ?? {})
      return { status: response.status, body: await response.json(), retryAfter: response.headers.get('retry-after') }
    }
    const text = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${port}/orders/${path}`, { signal: AbortSignal.timeout(20_000) })
      return response.text()
    }
    return { app, ask, text }
  }

  test(`${name}: routes, params and bodies are found in either order`, async (t) => {
    const { app, ask } = await begin([])
    t.after(() => app.close())
    assert.deepEqual(await ask('above/7'), { status: 200, body: { id: '7', key: 'order:7' }, retryAfter: null })
    const init = { method: 'POST', body: '{"amount":3}', headers: { 'content-type': 'application/json' } }
    const { status, body } = await ask('below/8', init)
    assert.deepEqual([status, body], [201, { id: '8', amount: 3, key: 'order:8' }])
    assert.equal((await ask('error/contended')).status, 500)
  })

  test(`${name}: contended is 409, no quorum 503, with Retry-After where it is known`, async (t) => {
    const { app, ask } = await begin([new RedlockExceptionFilter()])
    t.after(() => app.close())
    const held = await app.get(RedlockService, { strict: false }).acquire('order:7', 30_000)
    const refused = await ask('above/7')
    assert.equal(refused.status, 409)
    assert.equal(refused.body.code, 'ERR_LOCK_CONTENDED')
    assert.ok(Number(refused.retryAfter) >= 1 && Number(refused.retryAfter) <= 30, String(refused.retryAfter))
    assert.equal(refused.retryAfter, String(Math.ceil(Number(refused.retryAfter))))
    await held.release()
    assert.equal((await ask('above/7')).status, 200)

    const away = await ask('away')
    assert.deepEqual([away.status, away.body.code], [503, 'ERR_QUORUM_UNAVAILABLE'])
    const contended = await ask('error/contended')
    assert.deepEqual(Object.keys(contended.body), ['statusCode', 'error', 'message', 'code'])
    assert.deepEqual([contended.status, contended.retryAfter], [409, null])
    assert.doesNotMatch(JSON.stringify(contended.body), /secret/)
    const retry = await ask('error/retry')
    assert.deepEqual([retry.status, retry.retryAfter], [503, '3'])
    assert.doesNotMatch(JSON.stringify(retry.body), /redis-7/)
    assert.equal((await ask('error/soon')).retryAfter, '1')
    const closed = await ask('error/closed')
    assert.deepEqual([closed.status, closed.body.code], [503, 'ERR_REDLOCK_CLOSED'])
    // a mistake in the code, as any other
    const reentrant = await ask('error/reentrant')
    assert.deepEqual(reentrant.body, { statusCode: 500, message: 'Internal server error' })
    assert.equal((await ask('error/other')).status, 500)
  })

  test(`${name}: a response that has begun is ended`, async (t) => {
    const { app, text } = await begin([new RedlockExceptionFilter()])
    t.after(() => app.close())
    assert.equal(await text('begun'), 'begun')
    assert.equal(await text('over'), 'over')
  })

  test(`${name}: opted into by one route`, async (t) => {
    const { app, ask } = await begin([])
    t.after(() => app.close())
    assert.equal((await ask('own-filter')).status, 409)
  })
}
