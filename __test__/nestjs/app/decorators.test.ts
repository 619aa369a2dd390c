// @WithLock above and below other decorators: what they note on the method is found, and the method runs locked.

import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { Process } from '@nestjs/bull'
import { applyDecorators, Injectable, SetMetadata } from '@nestjs/common'
import { EventEmitter2, EventEmitterModule, OnEvent } from '@nestjs/event-emitter'
import { Cron, Interval, ScheduleModule, SchedulerRegistry } from '@nestjs/schedule'
import { currentLock } from 'quorlock'
import { RedlockModule, WithLock } from 'quorlock/nestjs'
import { memory, start, until } from './support.js'

/** Where @nestjs/bull looks for what its @Process has noted. */
const PROCESS = 'bull:module_queue_process'

const everySecond = '* * * * * *'

@Injectable()
class Jobs {
  readonly seen = new Map<string, unknown>()
  #note(name: string) {
    this.seen.set(name, currentLock()?.key)
  }

  @Cron(everySecond, { name: 'cron above' })
  @WithLock('cron above', { ttl: 1000 })
  async cronAbove() {
    this.#note('cron above')
  }

  @WithLock('cron below', { ttl: 1000 })
  @Cron(everySecond, { name: 'cron below' })
  async cronBelow() {
    this.#note('cron below')
  }

  @WithLock('interval', { ttl: 1000 })
  @Interval('interval', 20)
  async interval() {
    this.#note('interval')
  }

  @OnEvent('event')
  @WithLock((name: string) => `event above ${name}`, { ttl: 1000 })
  async eventAbove(name: string) {
    this.#note(`event above ${name}`)
  }

  @WithLock((name: string) => `event below ${name}`, { ttl: 1000 })
  @OnEvent('event')
  async eventBelow(name: string) {
    this.#note(`event below ${name}`)
  }

  @Process('above')
  @WithLock('process', { ttl: 1000 })
  async processAbove(_job: object, _token?: string, ..._rest: unknown[]) {}

  @WithLock('process', { ttl: 1000 })
  @Process('below')
  async processBelow(_job: object, _token: string) {}

  @applyDecorators(SetMetadata('one', 1), WithLock('both', { ttl: 1000 }) as MethodDecorator, SetMetadata('two', 2))
  async both() {
    return 'both'
  }
}

test('cron, interval and event handlers run, locked, in either order', async (t) => {
  const app = await start(t, {
    imports: [RedlockModule.forRoot({ nodes: memory() }), ScheduleModule.forRoot(), EventEmitterModule.forRoot()],
    providers: [Jobs],
  })
  await app.init()
  const { seen } = app.get(Jobs)
  assert.deepEqual([...app.get(SchedulerRegistry).getCronJobs().keys()].sort(), ['cron above', 'cron below'])
  app.get(EventEmitter2).emit('event', 'x')
  const names = ['cron above', 'cron below', 'interval', 'event above x', 'event below x']
  await until(() => names.every((name) => seen.has(name)), { what: 'everything has run once' })
  for (const name of names) assert.equal(seen.get(name), name)
})

test('metadata, name and length stay', () => {
  const at = (name: 'processAbove' | 'processBelow' | 'both') => Jobs.prototype[name]
  assert.deepEqual(Reflect.getMetadata(PROCESS, at('processAbove')), { name: 'above' })
  assert.deepEqual(Reflect.getMetadata(PROCESS, at('processBelow')), { name: 'below' })
  assert.deepEqual([Reflect.getMetadata('one', at('both')), Reflect.getMetadata('two', at('both'))], [1, 2])
  assert.deepEqual([at('processAbove').name, at('processAbove').length], ['processAbove', 2])
  assert.deepEqual([at('processBelow').name, at('processBelow').length], ['processBelow', 2])
  assert.deepEqual(Reflect.getMetadata('design:paramtypes', Jobs.prototype, 'processBelow'), [Object, String])
})

test('every key that was noted is on the new method, whatever it is, and its properties too', () => {
  async function method() {}
  const [symbol, object] = [Symbol('key'), {}]
  Reflect.defineMetadata(symbol, 1, method)
  Reflect.defineMetadata(object, 2, method)
  Object.assign(method, { note: 3 })
  const descriptor = { value: method, configurable: true, enumerable: false, writable: true }
  const wrapped = WithLock('key', { ttl: 1000 })({}, 'method', descriptor).value as typeof method & { note: number }
  assert.notEqual(wrapped, method)
  assert.equal(Reflect.getMetadata(symbol, wrapped), 1)
  assert.equal(Reflect.getMetadata(object, wrapped), 2)
  assert.equal(wrapped.note, 3)
  assert.deepEqual(Reflect.getMetadataKeys(wrapped), Reflect.getMetadataKeys(method))
})
