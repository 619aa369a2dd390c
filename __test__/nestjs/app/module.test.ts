// The module: every way to configure it, who gets what, and what is said about mistakes.

import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { Injectable, Module } from '@nestjs/common'
import { Test } from '@nestjs/testing'
import { Redlock } from 'quorlock'
import {
  getRedlockToken,
  InjectRedlock,
  RedlockModule,
  type RedlockOptionsFactory,
  RedlockService,
} from 'quorlock/nestjs'
import { failureOf, memory, moduleOf, nest, start } from './support.js'

@Injectable()
class Clerk {
  constructor(
    readonly service: RedlockService,
    @InjectRedlock() readonly redlock: Redlock,
  ) {}
}

@Injectable()
class Two {
  @InjectRedlock('orders') readonly orders!: Redlock
  @InjectRedlock('reports') readonly reports!: Redlock
}

test('the service, the injected instance and the token are one Redlock', async (t) => {
  const app = await start(t, { imports: [RedlockModule.forRoot({ nodes: memory() })], providers: [Clerk] })
  const { service, redlock } = app.get(Clerk)
  assert.equal(service, redlock)
  assert.equal(app.get(getRedlockToken()), service)
  assert.equal(getRedlockToken('default'), 'Redlock_default')
  assert.ok(service instanceof RedlockService && service instanceof Redlock)
  assert.equal(await service.withLock('key', 1000, (lock) => lock.isHeld), true)
  const lock = await service.acquire('key', 1000)
  assert.equal(await lock.release(), 'released')
})

test('two instances with names', async (t) => {
  const imports = [
    RedlockModule.forRoot({ nodes: memory(), name: 'orders' }),
    RedlockModule.forRootAsync({ name: 'reports', useFactory: () => ({ nodes: memory() }) }),
  ]
  const app = await start(t, { imports, providers: [Two] })
  const { orders, reports } = app.get(Two)
  assert.notEqual(orders, reports)
  const held = await orders.acquire('key', 5000)
  const other = await reports.acquire('key', 5000)
  assert.equal(held.isHeld && other.isHeld, true)
  await Promise.all([held.release(), other.release()])
  assert.throws(() => app.get(RedlockService))
})

class Config {
  readonly nodes = memory()
}

@Module({ providers: [Config], exports: [Config] })
class ConfigModule {}

@Injectable()
class Options implements RedlockOptionsFactory {
  readonly asked: string[] = []
  constructor(readonly config: Config) {}
  async createRedlockOptions(name: string) {
    this.asked.push(name)
    return { nodes: this.config.nodes, clientName: 'from-a-class' }
  }
}

@Module({ imports: [ConfigModule], providers: [Options], exports: [Options] })
class OptionsModule {}

for (const [how, options] of Object.entries({
  useFactory: {
    imports: [ConfigModule],
    inject: [Config],
    useFactory: async (config: Config) => ({ nodes: config.nodes }),
  },
  useClass: { imports: [ConfigModule], useClass: Options },
  useExisting: { imports: [OptionsModule], useExisting: Options },
  extraProviders: {
    extraProviders: [{ provide: 'NODES', useFactory: memory }],
    inject: ['NODES'],
    useFactory: (nodes: string) => ({ nodes }),
  },
})) {
  test(`forRootAsync with ${how}`, async (t) => {
    const app = await start(t, { imports: [RedlockModule.forRootAsync(options)], providers: [Clerk] })
    assert.equal(await app.get(Clerk).redlock.withLock('key', 1000, () => 'ran'), 'ran')
    if (how === 'useExisting') assert.deepEqual(app.get(Options, { strict: false }).asked, ['default'])
  })
}

test('isGlobal, and what it is without', async (t) => {
  const feature = () => moduleOf({ providers: [Clerk], exports: [Clerk] })
  const app = await start(t, { imports: [RedlockModule.forRoot({ nodes: memory(), isGlobal: true }), feature()] })
  assert.ok(app.get(Clerk, { strict: false }).service)
  const later = RedlockModule.forRootAsync({ isGlobal: true, useFactory: () => ({ nodes: memory() }) })
  const other = await start(t, { imports: [later, feature()] })
  assert.ok(other.get(Clerk, { strict: false }).service)
  await assert.rejects(start(t, { imports: [RedlockModule.forRoot({ nodes: memory() }), feature()] }), /resolve dep/)
})

test('wrong options are told as the Redlock tells them, and no password is shown', async (t) => {
  const nodes = 'redis://user:geheim@/x/y'
  for (const imports of [
    () => [RedlockModule.forRoot({ nodes })],
    () => [RedlockModule.forRootAsync({ useFactory: () => ({ nodes }) })],
  ]) {
    const error = await failureOf(start(t, { imports: imports() }))
    assert.match(error.message, /nodes/)
    assert.match(String(error.code), /^ERR_/)
    assert.doesNotMatch(`${error.stack}`, /geheim/)
  }
  // biome-ignore lint/suspicious/noExplicitAny: what a JavaScript user may give
  const wrong = (options: any) => () => RedlockModule.forRoot(options)
  assert.throws(wrong(undefined), { code: 'ERR_INVALID_ARG_TYPE' })
  assert.throws(wrong({ nodes: 'memory', name: 7 }), /name must be a string; got 7/)
  assert.throws(wrong({ nodes: 'memory', name: '' }), /name must not be empty/)
  assert.throws(wrong({ nodes: 'memory', isGlobal: 1 }), /isGlobal must be true or false; got 1/)
  assert.throws(wrong({ nodes: 'memory', shutdownTimeout: -1 }), { code: 'ERR_OUT_OF_RANGE' })
  assert.throws(wrong({ nodes: 'memory', logger: { log() {} } }), /logger must be/)
  const unknown = start(t, { imports: [wrong({ nodes: 'memory', node: 1 })()] })
  await assert.rejects(unknown, /options must only have the names nodes/)
})

test('wrong options of forRootAsync', async (t) => {
  // biome-ignore lint/suspicious/noExplicitAny: what a JavaScript user may give
  const wrong = (options: any) => () => RedlockModule.forRootAsync(options)
  const useFactory = () => ({ nodes: 'memory' })
  assert.throws(wrong(null), { code: 'ERR_INVALID_ARG_TYPE' })
  assert.throws(wrong({}), /one of useFactory, useClass and useExisting; got undefined/)
  assert.throws(wrong({ useFactory, useClass: Options }), /got "useFactory and useClass"/)
  assert.throws(wrong({ useFactory: 'x' }), /useFactory must be a function/)
  assert.throws(wrong({ useFactory, inject: Config }), /inject must be an array/)
  assert.throws(wrong({ useFactory, nodes: 'redis://:geheim@host' }), (error: Error) => {
    assert.match(error.message, /only have the names name, .*"nodes"/)
    assert.doesNotMatch(error.message, /geheim/)
    return true
  })
  const rejects = async (imports: ReturnType<typeof RedlockModule.forRoot>[], expected: RegExp) =>
    assert.rejects(start(t, { imports }), expected)
  await rejects([wrong({ useFactory: () => undefined })()], /what useFactory returns must be an object/)
  await rejects(
    [wrong({ useFactory: () => ({ nodes: 'memory', name: 'x' }) })()],
    /not have name, which belongs beside/,
  )
  await rejects([wrong({ useClass: Config })()], /createRedlockOptions/)
})

test('the same name twice is a mistake', async (t) => {
  const twice = [RedlockModule.forRoot({ nodes: memory() }), RedlockModule.forRoot({ nodes: memory() })]
  await assert.rejects(start(t, { imports: twice }), /more than once for the name "default"/)
  // The same module in two places is one, and so it is in Nest 10 where only its options are the same.
  const once = RedlockModule.forRoot({ nodes: memory() })
  await start(t, { imports: [moduleOf({ imports: [once] }), moduleOf({ imports: [once] })] })
  const nodes = memory()
  const equal = start(t, {
    imports: [moduleOf({ imports: [RedlockModule.forRoot({ nodes })] }), RedlockModule.forRoot({ nodes })],
  })
  if (nest === 10) await equal
  else await assert.rejects(equal, /more than once/)
})

test('half an application: a provider that throws, and a module that is closed without having been started', async () => {
  const failing = Test.createTestingModule({
    imports: [RedlockModule.forRoot({ nodes: memory() })],
    providers: [
      {
        provide: 'x',
        inject: [RedlockService],
        useFactory: () => {
          throw new Error('half-way')
        },
      },
    ],
  }).compile()
  await assert.rejects(failing, /half-way/)
  const module = await Test.createTestingModule({ imports: [RedlockModule.forRoot({ nodes: memory() })] }).compile()
  const redlock = module.get(RedlockService)
  await module.close()
  await assert.rejects(redlock.acquire('key', 1000), { code: 'ERR_REDLOCK_CLOSED' })
})
