// The exception filter beyond HTTP: microservices over TCP, and gateways of Socket.IO and of plain WebSockets. Without an
// answer a client would wait for ever, and what a filter throws there ends the process.

import { strict as assert } from 'node:assert'
import { type TestContext, test } from 'node:test'
import { Controller, UseFilters } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ClientProxyFactory, EventPattern, MessagePattern, Transport } from '@nestjs/microservices'
import { IoAdapter } from '@nestjs/platform-socket.io'
import { WsAdapter } from '@nestjs/platform-ws'
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets'
import { LockContendedError, QuorumUnavailableError, RedlockClosedError } from 'quorlock'
import { RedlockExceptionFilter, RedlockModule, RedlockService, WithLock } from 'quorlock/nestjs'
import { lastValueFrom, timeout } from 'rxjs'
import { io } from 'socket.io-client'
import { WebSocket } from 'ws'
import { freePort, memory, moduleOf, within } from './support.js'

const tooLong = 20_000

const contended = {
  status: 'error',
  message: 'Somebody else is working on this at the moment; try again later',
  code: 'ERR_LOCK_CONTENDED',
}
const unavailable = {
  status: 'error',
  message: 'This cannot be done safely at the moment; try again later',
  code: 'ERR_QUORUM_UNAVAILABLE',
}
const closed = { ...unavailable, code: 'ERR_REDLOCK_CLOSED' }
const unknown = { status: 'error', message: 'Internal server error' }

function fail(kind: string): never {
  if (kind === 'unavailable') throw new QuorumUnavailableError('of redis-7', { key: 'lock:secret' })
  if (kind === 'closed') throw new RedlockClosedError('closed')
  if (kind === 'reentrant') throw new LockContendedError('lock:secret', { reentrant: true })
  throw new Error('other')
}

@Controller()
class Orders {
  @MessagePattern('work')
  @WithLock('lock:secret', { ttl: 5000, wait: 0 })
  async work() {
    return 'worked'
  }

  @EventPattern('event')
  @WithLock('lock:secret', { ttl: 5000, wait: 0 })
  async event(_data: string) {}

  @MessagePattern('fail')
  async fail(kind: string) {
    fail(kind)
  }
}

@WebSocketGateway()
@UseFilters(new RedlockExceptionFilter())
class Gateway {
  @SubscribeMessage('work')
  @WithLock('lock:secret', { ttl: 5000, wait: 0 })
  async work() {
    return { event: 'done', data: 'worked' }
  }

  @SubscribeMessage('fail')
  async fail(_client: unknown, kind: string) {
    fail(kind)
  }
}

const silent = { logger: false, abortOnError: false } as const

test('in a microservice the client is told, and an event that is refused ends nothing', async (t) => {
  const options = { host: '127.0.0.1', port: await freePort() }
  const module = moduleOf({ imports: [RedlockModule.forRoot({ nodes: memory() })], controllers: [Orders] })
  const app = await NestFactory.createMicroservice(module, { ...silent, transport: Transport.TCP, options })
  t.after(() => app.close())
  app.useGlobalFilters(new RedlockExceptionFilter())
  await app.listen()
  const client = ClientProxyFactory.create({ transport: Transport.TCP, options })
  t.after(() => client.close())
  const ask = (pattern: string, data: string) =>
    lastValueFrom(client.send(pattern, data).pipe(timeout(tooLong))).catch((told) => told)

  const held = await app.get(RedlockService, { strict: false }).acquire('lock:secret', 30_000)
  assert.deepEqual(await ask('work', ''), contended)
  await lastValueFrom(client.emit('event', ''))
  assert.deepEqual(await ask('fail', 'unavailable'), unavailable)
  assert.deepEqual(await ask('fail', 'closed'), closed)
  // a mistake in the code, as any other
  assert.deepEqual(await ask('fail', 'reentrant'), unknown)
  assert.deepEqual(await ask('fail', 'other'), unknown)
  await held.release()
  assert.equal(await ask('work', ''), 'worked')
})

async function beginGateway(t: TestContext, Adapter: typeof IoAdapter | typeof WsAdapter) {
  const module = moduleOf({ imports: [RedlockModule.forRoot({ nodes: memory() })], providers: [Gateway] })
  const app = await NestFactory.create(module, silent)
  t.after(() => app.close())
  app.useWebSocketAdapter(new Adapter(app))
  await app.listen(0, '127.0.0.1')
  return { redlock: app.get(RedlockService, { strict: false }), port: app.getHttpServer().address().port as number }
}

type Ask = (event: string, data?: string) => Promise<{ event: string; data: unknown }>

async function checkGateway(redlock: RedlockService, ask: Ask) {
  const exception = (data: object) => ({ event: 'exception', data })
  const held = await redlock.acquire('lock:secret', 30_000)
  assert.deepEqual(await ask('work'), exception(contended))
  assert.deepEqual(await ask('fail', 'unavailable'), exception(unavailable))
  assert.deepEqual(await ask('fail', 'closed'), exception(closed))
  await held.release()
  assert.deepEqual(await ask('work'), { event: 'done', data: 'worked' })
}

test('in a gateway of Socket.IO the client gets an exception', async (t) => {
  const { redlock, port } = await beginGateway(t, IoAdapter)
  const socket = io(`http://127.0.0.1:${port}`)
  t.after(() => socket.close())
  const ask: Ask = (event, data = '') => {
    const answer = new Promise<{ event: string; data: unknown }>((resolve) => {
      socket.offAny().onAny((event, data) => resolve({ event, data }))
    })
    socket.emit(event, data)
    return within(tooLong, answer)
  }
  await checkGateway(redlock, ask)
  const { data } = await ask('fail', 'reentrant')
  assert.equal((data as typeof unknown).message, unknown.message)
})

test('in a gateway of plain WebSockets, too', async (t) => {
  const { redlock, port } = await beginGateway(t, WsAdapter)
  const socket = new WebSocket(`ws://127.0.0.1:${port}`)
  t.after(() => socket.close())
  await within(tooLong, new Promise((resolve) => socket.once('open', resolve)))
  await checkGateway(redlock, (event, data = '') => {
    const answer = new Promise<string>((resolve) => socket.once('message', (text) => resolve(String(text))))
    socket.send(JSON.stringify({ event, data }))
    return within(tooLong, answer).then((text) => JSON.parse(text))
  })
})

test('where Nest has a transport of another kind, the filter throws the error on', () => {
  const error = new LockContendedError('x')
  // biome-ignore lint/suspicious/noExplicitAny: all that is asked of it
  const host = { getType: () => 'graphql' } as any
  assert.throws(
    () => new RedlockExceptionFilter().catch(error, host),
    (thrown) => thrown === error,
  )
})
