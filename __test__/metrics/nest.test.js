// quorlock/nestjs/metrics in real applications of Nest, with the token of the instance provided by hand.

require('reflect-metadata')

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const { NestFactory } = require('@nestjs/core')
const client = require('prom-client')
const { Redlock } = require('../..')
const { getRedlockToken } = require('../../js/nestjs/tokens')
const { RedlockMetricsModule } = require('../../nestjs/metrics')
const { useCluster } = require('../support/cluster')
const { series } = require('./support')

/** A global module that provides instances under their tokens and closes them, as RedlockModule does. */
function provideRedlocks(instances, isGlobal = true) {
  class Redlocks {
    async onApplicationShutdown() {
      for (const redlock of Object.values(instances)) await redlock.close()
    }
  }
  const providers = Object.entries(instances).map(([name, redlock]) => ({
    provide: getRedlockToken(name === 'default' ? undefined : name),
    useValue: redlock,
  }))
  return { module: Redlocks, global: isGlobal, providers, exports: providers.map(({ provide }) => provide) }
}

async function start(t, ...imports) {
  class App {}
  const app = await NestFactory.createApplicationContext(
    { module: App, imports },
    { logger: false, abortOnError: false },
  )
  t.after(() => app.close())
  return app
}

function open(t, nodes) {
  const redlock = new Redlock({ nodes })
  t.after(() => redlock.close({ timeout: 0 }))
  return redlock
}

const acquired = (register, redlock) =>
  series(register, 'quorlock_acquire_seconds_count', { redlock, outcome: 'acquired' })

describe('RedlockMetricsModule', () => {
  const cluster = useCluster(3)

  test('observes from the start of the application to its end', async (t) => {
    const redlock = open(t, cluster.urls)
    await redlock.connect()
    const register = new client.Registry()
    const metrics = RedlockMetricsModule.forRoot({ client, register, keyClass: (key) => key.split(':')[0] })
    await redlock.withLock('order:1', 5000, () => {})
    const app = await start(t, provideRedlocks({ default: redlock }), metrics)
    await app.get(getRedlockToken()).withLock('order:1', 5000, () => {})
    assert.equal(await series(register, 'quorlock_hold_seconds_count', { key_class: 'order', redlock: 'default' }), 1)
    assert.equal(await series(register, 'quorlock_node_up', { node: redlock.stats().nodes[0].name }), 1)
    await app.close()
    assert.equal(await register.metrics(), '\n')
  })

  test('observes each instance by its name, in one registry', async (t) => {
    const [orders, stock] = [open(t, 'memory:orders'), open(t, 'memory:stock')]
    const register = new client.Registry()
    await start(
      t,
      RedlockMetricsModule.forRoot({ name: 'orders', client, register }),
      RedlockMetricsModule.forRoot({ name: 'stock', client, register }),
      provideRedlocks({ orders, stock }),
    )
    await orders.withLock('a', 1000, () => {})
    assert.deepEqual([await acquired(register, 'orders'), await acquired(register, 'stock')], [1, 0])
  })

  test('takes the instance from a module that is not global', async (t) => {
    const redlock = open(t, 'memory')
    const register = new client.Registry()
    const module = provideRedlocks({ default: redlock }, false)
    await start(t, RedlockMetricsModule.forRoot({ client, register, imports: [module] }))
    await redlock.withLock('a', 1000, () => {})
    assert.equal(await acquired(register, 'default'), 1)
  })

  test('gives a meter the figures, and nothing to prom-client', async (t) => {
    const redlock = open(t, 'memory')
    const recorded = []
    const instrument = (name) => ({ record: () => recorded.push(name), add: () => {} })
    const meter = {
      ...{ createHistogram: instrument, createCounter: instrument, createObservableCounter: instrument },
      ...{ createObservableUpDownCounter: instrument, createObservableGauge: instrument },
      addBatchObservableCallback: () => recorded.push('start'),
      removeBatchObservableCallback: () => recorded.push('stop'),
    }
    const app = await start(t, provideRedlocks({ default: redlock }), RedlockMetricsModule.forRoot({ meter }))
    await redlock.withLock('a', 1000, () => {})
    await app.close()
    assert.deepEqual(recorded, ['start', 'quorlock.acquire.duration', 'quorlock.hold.duration', 'stop'])
    assert.equal(client.register.getSingleMetric('quorlock_acquire_seconds'), undefined)
  })

  test('may be closed and started again, in the same registry', async (t) => {
    const register = new client.Registry()
    for (let i = 0; i < 2; i += 1) {
      const redlock = open(t, 'memory')
      const metrics = RedlockMetricsModule.forRoot({ client, register })
      const app = await start(t, provideRedlocks({ default: redlock }), metrics)
      await redlock.withLock('a', 1000, () => {})
      assert.equal(await acquired(register, 'default'), 1)
      await app.close()
    }
  })
})

describe('what RedlockMetricsModule refuses', () => {
  test('an application without the instance', async (t) => {
    const register = new client.Registry()
    const metrics = RedlockMetricsModule.forRoot({ name: 'orders', client, register })
    await assert.rejects(start(t, provideRedlocks({ default: open(t, 'memory') }), metrics), {
      code: 'ERR_QUORLOCK_NOT_PROVIDED',
      message: /no Redlock instance called "orders": import RedlockModule with that name/,
    })
    assert.deepEqual(register.getMetricsAsArray(), [])
  })

  test('the same instance twice', async (t) => {
    const register = new client.Registry()
    const twice = [1, 2].map(() => RedlockMetricsModule.forRoot({ client, register }))
    await assert.rejects(start(t, provideRedlocks({ default: open(t, 'memory') }), ...twice), {
      code: 'ERR_QUORLOCK_OBSERVED',
    })
  })

  test('wrong options, at once', () => {
    assert.throws(() => RedlockMetricsModule.forRoot({ names: ['a'] }), { code: 'ERR_INVALID_ARG_VALUE' })
    assert.throws(() => RedlockMetricsModule.forRoot({ name: 7 }), { code: 'ERR_INVALID_ARG_TYPE', message: /name/ })
    assert.throws(() => RedlockMetricsModule.forRoot(null), { code: 'ERR_INVALID_ARG_TYPE' })
  })
})
