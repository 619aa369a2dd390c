// Which application's Redlock @WithLock locks by: objects of every kind that Nest makes, and several applications.

import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { Injectable, Scope } from '@nestjs/common'
import { ModuleRef } from '@nestjs/core'
import { Test } from '@nestjs/testing'
import { currentLock, LockContendedError, type Redlock } from 'quorlock'
import { InjectRedlock, RedlockModule, RedlockService, WithLock } from 'quorlock/nestjs'
import { anotherCopy, gate, memory, moduleOf, start } from './support.js'

@Injectable()
class Shop {
  @WithLock('lock:fixed', { ttl: 1000 })
  async fixed() {
    return currentLock()?.key
  }

  @WithLock('lock:elsewhere', { ttl: 1000, name: 'elsewhere' })
  async elsewhere() {}

  @WithLock('lock:slow', { ttl: 1000, wait: 0 })
  async slow(until: Promise<void>) {
    await until
    return 'slow'
  }
}

const open = (nodes = memory()) => RedlockModule.forRoot({ nodes })

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

test('objects that Nest makes and keeps no list of', async (t) => {
  const factory = { provide: PerRequest, scope: Scope.REQUEST, useFactory: () => new PerRequest() }
  const nameless = { provide: 'nameless', scope: Scope.REQUEST, useFactory: () => new Shop() }
  const several = { provide: 'several', useFactory: () => [new Shop(), new Shop()] }
  const app = await start(t, { imports: [open()], providers: [factory, nameless, several] })
  const created = await app.get(ModuleRef).create(Shop)
  assert.equal(await created.fixed(), 'lock:fixed')
  assert.equal(await (await app.resolve(PerRequest)).run(), 'lock:request')
  assert.equal(await (await app.resolve<Shop>('nameless')).fixed(), 'lock:fixed')
  for (const shop of app.get<Shop[]>('several')) assert.equal(await shop.fixed(), 'lock:fixed')
  // With a second application nothing tells any more where a new one belongs.
  const other = await start(t, { imports: [open()] })
  assert.equal(await created.fixed(), 'lock:fixed')
  assert.equal(await (await app.resolve(PerRequest)).run(), 'lock:request')
  const foreign = await other.get(ModuleRef).create(Shop)
  await assert.rejects(foreign.fixed(), /^Error: @WithLock\(\) on Shop\.fixed: several .*Inject RedlockService/)
  await app.close()
  assert.equal(await foreign.fixed(), 'lock:fixed')
  assert.equal(await created.fixed(), 'lock:fixed')
})

test('a class that another copy of the package has decorated', async (t) => {
  const copy = anotherCopy<typeof import('quorlock/nestjs')>('quorlock/nestjs')
  assert.notEqual(copy.WithLock, WithLock)
  class Plugin {
    async work() {
      return 'worked'
    }
  }
  const { prototype } = Plugin
  const descriptor = Object.getOwnPropertyDescriptor(prototype, 'work') as TypedPropertyDescriptor<Plugin['work']>
  Object.defineProperty(prototype, 'work', copy.WithLock('lock:copy', { ttl: 1000 })(prototype, 'work', descriptor))
  const app = await start(t, { imports: [open()], providers: [Plugin] })
  assert.equal(await app.get(Plugin).work(), 'worked')
  assert.equal(app.get(RedlockService).stats().acquired, 1)
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
  await assert.rejects(without.get(Shop).fixed(), /nothing tells which of them its object belongs to/)
  // Nothing tells of which application an object for one request is: better no lock than the wrong one.
  await assert.rejects((await two.resolve(PerRequest)).run(), /several applications of this process import/)
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

test("an application whose start failed is in nobody else's way either", async (t) => {
  class Failing {
    onModuleInit() {
      throw new Error('half-way')
    }
  }
  await assert.rejects(start(t, { imports: [open()], providers: [Failing, Shop, Transient] }), /half-way/)
  await assert.rejects(new Shop().fixed(), /belongs to no running application that imports RedlockModule/)
  const app = await start(t, { imports: [open()], providers: [Shop, Transient] })
  assert.equal(await (await app.resolve(Transient)).run(), 'lock:request')
  assert.equal(await (await app.get(ModuleRef).create(Shop)).fixed(), 'lock:fixed')
})

test('a later application whose start failed counts until it is closed, or for a minute', async (t) => {
  class Failing {
    onModuleInit() {
      throw new Error('half-way')
    }
  }
  const one = await start(t, { imports: [open()], providers: [Shop] })
  const create = () => one.get(ModuleRef).create(Shop)
  const several = /several applications .* counts as starting for a minute: close\(\) it$/
  const failing = { imports: [open()], providers: [Failing] }

  const failed = (await Test.createTestingModule(failing).compile()).createNestApplication()
  await assert.rejects(failed.init(), /half-way/)
  await assert.rejects((await create()).fixed(), several)
  await failed.close()
  assert.equal(await (await create()).fixed(), 'lock:fixed')

  await assert.rejects(start(t, failing), /half-way/)
  const shop = await create()
  await assert.rejects(shop.fixed(), several)
  const now = performance.now.bind(performance)
  const later = (ms: number) => {
    t.mock.method(performance, 'now', () => now() + ms)
    return shop.elsewhere().finally(() => t.mock.restoreAll())
  }
  await assert.rejects(later(30_000), several)
  await assert.rejects(later(60_001), /no RedlockModule has the name "elsewhere"/)
  assert.equal(await shop.fixed(), 'lock:fixed')
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
