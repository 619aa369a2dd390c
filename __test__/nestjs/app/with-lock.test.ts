// @WithLock: keys, contention, errors, and which application's Redlock locks.

import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { Injectable, Scope } from '@nestjs/common'
import { ModuleRef } from '@nestjs/core'
import { Test } from '@nestjs/testing'
import { currentLock, LockContendedError, type Redlock } from 'quorlock'
import { InjectRedlock, RedlockModule, RedlockService, WithLock } from 'quorlock/nestjs'
import { failureOf, gate, memory, moduleOf, start } from './support.js'

const failure = new Error('mine')

class Shop {
  readonly prefix = 'shop'

  @WithLock('lock:fixed', { ttl: 1000 })
  async fixed() {
    return currentLock()?.key
  }

  @WithLock(['lock:b', 'lock:a'], { ttl: 1000 })
  async both() {
    return currentLock()?.key
  }

  @WithLock((id: number, _note?: string) => `lock:product:${id}`, { ttl: 1000 })
  async byId(id: number, note = 'none') {
    return [currentLock()?.key, id, note]
  }

  @WithLock<Shop['named']>((order) => [order.id, `${order.id}:stock`], { ttl: 1000 })
  async named(_order: { id: string }) {
    return currentLock()?.key
  }

  @WithLock(
    function (this: Shop) {
      return this.prefix
    },
    { ttl: 1000 },
  )
  async byObject() {
    return currentLock()?.key
  }

  @WithLock('lock:fails', { ttl: 1000 })
  async fails() {
    throw failure
  }

  @WithLock(
    () => {
      throw failure
    },
    { ttl: 1000 },
  )
  async keyFails() {}

  @WithLock('lock:slow', { ttl: 1000, wait: 0 })
  async slow(until: Promise<void>) {
    await until
    return 'slow'
  }

  @WithLock('lock:skip', { ttl: 1000, wait: 0, whenContended: 'skip' })
  async skipped(work: () => Promise<unknown>): Promise<unknown> {
    return work()
  }

  @WithLock('lock:elsewhere', { ttl: 1000, name: 'reports' })
  async report() {
    return currentLock()?.key
  }
}
Injectable()(Shop)

const open = (nodes = memory()) => RedlockModule.forRoot({ nodes })

test('keys: fixed, several, from the arguments, from the object', async (t) => {
  const app = await start(t, { imports: [open()], providers: [Shop] })
  const shop = app.get(Shop)
  assert.equal(await shop.fixed(), 'lock:fixed')
  assert.deepEqual(await shop.both(), ['lock:b', 'lock:a'])
  assert.deepEqual(await shop.byId(7), ['lock:product:7', 7, 'none'])
  assert.deepEqual(await shop.byId(8, 'gift'), ['lock:product:8', 8, 'gift'])
  assert.deepEqual(await shop.named({ id: 'x' }), ['x', 'x:stock'])
  assert.equal(await shop.byObject(), 'shop')
  assert.equal(currentLock(), undefined)
})

test('what the method or the key function throws is what the caller gets', async (t) => {
  const app = await start(t, { imports: [open()], providers: [Shop] })
  for (const call of ['fails', 'keyFails'] as const) {
    assert.equal(await failureOf(app.get(Shop)[call]()), failure)
  }
})

test('contention throws, or skips; a loss of somebody else inside is no skip', async (t) => {
  const app = await start(t, { imports: [open()], providers: [Shop] })
  const shop = app.get(Shop)
  const { opened, open: end } = gate()
  const first = shop.slow(opened)
  const since = performance.now()
  await assert.rejects(shop.slow(opened), LockContendedError)
  assert.ok(performance.now() - since < 4000, 'it waited for its default of 6.5 s, and not `wait: 0`')
  end()
  assert.equal(await first, 'slow')

  const other = gate()
  const working = shop.skipped(() => other.opened.then(() => 'done'))
  assert.equal(await shop.skipped(async () => assert.fail('called')), undefined)
  other.open()
  assert.equal(await working, 'done')

  const inner = new LockContendedError('of another lock')
  await assert.rejects(
    shop.skipped(async () => Promise.reject(inner)),
    (error) => error === inner,
  )
  const deadlock = await failureOf(shop.skipped(() => shop.skipped(async () => 1)))
  assert.equal(deadlock.reentrant, true)
})

test('without the module, the error says what to do', async (t) => {
  const app = await start(t, { providers: [Shop] })
  const expected = /^@WithLock\(\) on Shop\.fixed: .*Import RedlockModule\.forRoot\(\)/
  await assert.rejects(app.get(Shop).fixed(), { message: expected })
  await assert.rejects(new Shop().fixed(), { message: expected })
  const { fixed } = app.get(Shop)
  await assert.rejects((fixed as () => Promise<unknown>)(), { message: expected })
})

test('a name that no instance has is told, with those that there are', async (t) => {
  const app = await start(t, { imports: [open()], providers: [Shop] })
  await assert.rejects(app.get(Shop).report(), {
    message: '@WithLock() on Shop.report: no RedlockModule has the name "reports"; there is "default"',
  })
  const named = RedlockModule.forRoot({ nodes: memory(), name: 'reports' })
  const other = await start(t, { imports: [named], providers: [Shop] })
  assert.equal(await other.get(Shop).report(), 'lock:elsewhere')
  await assert.rejects(other.get(Shop).fixed(), /no RedlockModule has the name "default"/)
})

test('wrong options are told where the class is declared', () => {
  // biome-ignore lint/suspicious/noExplicitAny: what a JavaScript user may give
  const wrong = (key: any, options: any) => () => WithLock(key, options)
  assert.throws(wrong('key', undefined), { code: 'ERR_INVALID_ARG_TYPE' })
  assert.throws(wrong(undefined, { ttl: 1000 }), /key of @WithLock\(\) must be a key/)
  assert.throws(wrong(['a', 1], { ttl: 1000 }), /key of @WithLock\(\) must be a key/)
  assert.throws(wrong('key', {}), /ttl must be an integer/)
  assert.throws(wrong('key', { ttl: 9 }), { code: 'ERR_OUT_OF_RANGE' })
  assert.throws(wrong('key', { ttl: 1000, whenContended: 'wait' }), /whenContended must be 'throw' or 'skip'/)
  assert.throws(wrong('key', { ttl: 1000, signal: AbortSignal.abort() }), /only have the names ttl, name/)
  assert.throws(wrong('key', { ttl: 1000, name: 1 }), /name must be a string/)
  // biome-ignore lint/suspicious/noExplicitAny: as decorators are called
  const decorate = WithLock('key', { ttl: 1000 }) as any
  class Wrong {
    static async one() {}
    async two() {}
  }
  assert.throws(() => decorate(Wrong, 'one', Object.getOwnPropertyDescriptor(Wrong, 'one')), /static method/)
  assert.throws(() => decorate(Wrong.prototype, 'field', undefined), /Wrong\.field: it must stand on a method/)
  assert.throws(() => decorate(Wrong.one, { kind: 'method', name: 'one' }), /experimentalDecorators/)
})

@Injectable({ scope: Scope.REQUEST })
class PerRequest {
  @WithLock('lock:request', { ttl: 1000, wait: 0 })
  async run(until?: Promise<void>) {
    await until
    return currentLock()?.key
  }
}

@Injectable({ scope: Scope.TRANSIENT })
class Transient extends PerRequest {}

@Injectable()
class Owner {
  constructor(
    readonly helper: Transient,
    @InjectRedlock() readonly redlock: Redlock,
  ) {}
}

test('objects made for one request, and transient ones', async (t) => {
  const app = await start(t, { imports: [open()], providers: [PerRequest, Transient, Owner] })
  const one = await app.resolve(PerRequest)
  const two = await app.resolve(PerRequest)
  assert.notEqual(one, two)
  const { opened, open: end } = gate()
  const running = one.run(opened)
  await assert.rejects(two.run(), LockContendedError)
  end()
  assert.equal(await running, 'lock:request')
  assert.equal(await app.get(Owner).helper.run(), 'lock:request')
  assert.equal(await (await app.resolve(Transient)).run(), 'lock:request')
})

test('several applications in one process: each object locks by its own', async (t) => {
  const [first, second] = [memory(), memory()]
  const providers = [Shop, PerRequest, Transient, Owner]
  const one = await start(t, { imports: [open(first)], providers })
  const { opened, open: end } = gate()
  const running = one.get(Shop).slow(opened)
  const two = await start(t, { imports: [open(second)], providers })
  assert.equal(await two.get(Shop).slow(Promise.resolve()), 'slow')
  assert.equal(await two.get(Owner).helper.run(), 'lock:request')
  const without = await start(t, { providers: [Shop] })
  await assert.rejects(without.get(Shop).fixed(), /belongs to no running application/)
  // Nothing tells of which application an object for one request is: better no lock than the wrong one.
  await assert.rejects((await two.resolve(PerRequest)).run(), /several applications of this process/)
  await assert.rejects(one.get(Shop).slow(opened), LockContendedError)
  end()
  await running

  await one.close()
  await assert.rejects(one.get(Shop).fixed(), { code: 'ERR_REDLOCK_CLOSED' })
  assert.equal(await (await two.resolve(PerRequest)).run(), 'lock:request')
  // The same classes and the same module anew, as after a reload.
  const anew = await start(t, { imports: [open(first)], providers: [Shop] })
  assert.equal(await anew.get(Shop).fixed(), 'lock:fixed')
})

test("an application that could not be made is in nobody else's way", async (t) => {
  const failing = {
    provide: 'fails',
    inject: [Shop],
    useFactory: () => {
      throw new Error('half-way')
    },
  }
  await assert.rejects(start(t, { imports: [open()], providers: [failing, Shop, PerRequest] }), /half-way/)
  const app = await start(t, { imports: [open()], providers: [Shop, PerRequest] })
  assert.equal(await app.get(Shop).fixed(), 'lock:fixed')
  assert.equal(await (await app.resolve(PerRequest)).run(), 'lock:request')
})

test('one module class, two applications', async (t) => {
  const App = moduleOf({ imports: [open()], providers: [Shop] })
  const [one, two] = [await start(t, { imports: [App] }), await start(t, { imports: [App] })]
  assert.notEqual(one.get(RedlockService, { strict: false }), two.get(RedlockService, { strict: false }))
  await one.close()
  assert.equal(await two.get(Shop, { strict: false }).fixed(), 'lock:fixed')
})

test('before the application has started: in a constructor, a factory, and onModuleInit', async (t) => {
  const seen: unknown[] = []
  class Early {
    constructor(readonly shop: Shop) {}
    async onModuleInit() {
      seen.push(await this.shop.fixed())
    }
  }
  Injectable()(Early)
  Reflect.defineMetadata('design:paramtypes', [Shop], Early)
  const factory = {
    provide: 'early',
    inject: [Shop, RedlockService],
    useFactory: async (shop: Shop) => seen.push(await shop.fixed()),
  }
  const app = await start(t, { imports: [open()], providers: [Shop, Early, factory] })
  const beside = RedlockModule.forRootAsync({
    extraProviders: [Shop, factory],
    useFactory: () => ({ nodes: memory() }),
  })
  await start(t, { imports: [beside] })
  assert.deepEqual(seen, ['lock:fixed', 'lock:fixed', 'lock:fixed'])
  const module = await Test.createTestingModule({ imports: [open()], providers: [Shop, PerRequest] }).compile()
  t.after(() => module.close())
  assert.equal(await module.get(Shop).fixed(), 'lock:fixed')
  assert.ok(app.get(ModuleRef))
})
