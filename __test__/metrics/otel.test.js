// quorlock/metrics with the published SDK of OpenTelemetry, over three real servers.

const assert = require('node:assert/strict')
const { channel } = require('node:diagnostics_channel')
const { describe, test } = require('node:test')
const { MeterProvider, MetricReader, DataPointType } = require('@opentelemetry/sdk-metrics')
const { observeWithOpenTelemetry } = require('../../metrics')
const { useCluster } = require('../support/cluster')
const { open, allUp, uniqueKey } = require('../support/quorlock')
const { until } = require('../support/until')
const { warnings } = require('../support/warnings')

/** Collects when it is asked to, and not by a timer. */
class Reader extends MetricReader {
  onForceFlush() {}
  onShutdown() {}
}

/** A meter of the SDK; `points(name)` collects and gives the points of one metric, `all()` everything. */
function makeMeter(t) {
  const reader = new Reader()
  const provider = new MeterProvider({ readers: [reader] })
  t.after(() => provider.shutdown())
  const all = async () => {
    const { resourceMetrics, errors } = await reader.collect()
    assert.deepEqual(errors, [])
    return resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics)
  }
  const metric = async (name) => (await all()).find(({ descriptor }) => descriptor.name === name)
  const points = async (name) =>
    ((await metric(name))?.dataPoints ?? []).map(({ attributes, value }) => [attributes, value.count ?? value])
  return { meter: provider.getMeter('orders'), all, metric, points }
}

function observe(t, options) {
  const observation = observeWithOpenTelemetry(options)
  t.after(() => observation.stop())
  return observation
}

describe('observeWithOpenTelemetry', () => {
  const cluster = useCluster(3)

  test('records calls and holds by outcome, in seconds', async (t) => {
    const redlock = await allUp(t, cluster.urls)
    const { meter, metric, points } = makeMeter(t)
    observe(t, { redlock, meter })
    const key = uniqueKey()
    await redlock.withLock(key, 5000, () => redlock.tryAcquire(key, 1000))
    const at = (outcome) => ({ 'quorlock.redlock': 'default', 'quorlock.outcome': outcome })
    assert.deepEqual(await points('quorlock.acquire.duration'), [
      [at('acquired'), 1],
      [at('contended'), 1],
    ])
    assert.deepEqual(await points('quorlock.hold.duration'), [[at('released'), 1]])
    const { descriptor, dataPointType, dataPoints } = await metric('quorlock.acquire.duration')
    assert.equal(descriptor.unit, 's')
    assert.equal(dataPointType, DataPointType.HISTOGRAM)
    assert.equal(dataPoints[0].value.buckets.boundaries[0], 0.0005)
    assert.ok(dataPoints[0].value.sum > 0)
  })

  test('shows what is held and waits, extensions, losses and nodes', async (t) => {
    const redlock = await allUp(t, cluster.urls)
    const { meter, metric, points } = makeMeter(t)
    observe(t, { redlocks: { stock: redlock }, meter })
    const at = (more = {}) => ({ 'quorlock.redlock': 'stock', ...more })
    const key = uniqueKey()
    const lock = await redlock.acquire(key, 6000)
    await lock.extend(60_000)
    const waits = redlock.acquire(key, 20_000, { wait: 20_000 })
    await until(() => redlock.stats().waiting === 1)
    assert.deepEqual(await points('quorlock.locks.held'), [[at(), 1]])
    assert.deepEqual(await points('quorlock.calls.waiting'), [[at(), 1]])
    assert.deepEqual(await points('quorlock.extensions'), [[at(), 1]])
    assert.deepEqual(await points('quorlock.extend.calls'), [[at({ 'quorlock.outcome': 'extended' }), 1]])
    assert.deepEqual(await points('quorlock.extend.late_calls'), [[at(), 1]])
    const { dataPointType, isMonotonic } = await metric('quorlock.extensions')
    assert.deepEqual([dataPointType, isMonotonic], [DataPointType.SUM, true])
    const names = redlock.stats().nodes.map(({ name }) => name)
    const up = async () => (await points('quorlock.node.up')).map(([attributes, value]) => [attributes, value])
    const node = (name, value) => [at({ 'quorlock.node': name }), value]
    assert.deepEqual(
      await up(),
      names.map((name) => node(name, 1)),
    )
    // A node that has answered nothing yet has none.
    await until(() => redlock.stats().nodes.every(({ rtt }) => rtt.p50 > 0))
    const trips = await points('quorlock.node.round_trip.duration')
    assert.equal(trips.length, 6)
    for (const [attributes, value] of trips) {
      assert.match(attributes['quorlock.quantile'], /^0\.(5|99)$/)
      assert.ok(value > 0 && value < 10)
    }
    await cluster.servers[2].kill()
    await until(async () => (await up())[2][1] === 0)
    await lock.release()
    await waits
    await redlock.close({ timeout: 0 })
    assert.deepEqual(await points('quorlock.locks.lost'), [[at({ 'quorlock.reason': 'closed' }), 1]])
    assert.deepEqual(await points('quorlock.locks.held'), [[at(), 0]])
  })
})

describe('the attributes', () => {
  test('have classes instead of keys', async (t) => {
    const redlock = open(t, 'memory')
    const { meter, all, points } = makeMeter(t)
    observe(t, { redlock, meter, keyClass: (key) => key.split(':')[0] })
    await redlock.withLock('order:4711', 1000, (lock) => lock.extend())
    const shown = JSON.stringify(await all())
    assert.match(shown, /"quorlock.key_class":"order"/)
    assert.doesNotMatch(shown, /4711/)
    assert.equal((await points('quorlock.hold.duration'))[0][0]['quorlock.key_class'], 'order')
  })

  test('say whether the fallback is at work, and what it gives', async (t) => {
    const redlock = open(t, 'redis://127.0.0.1:1', { fallback: 'local', fallbackAfter: 0 })
    const { meter, points } = makeMeter(t)
    observe(t, { redlock, meter })
    const all = { 'quorlock.redlock': 'default' }
    assert.deepEqual(await points('quorlock.degraded'), [[all, 0]])
    await redlock.withLock(uniqueKey(), 5000, (lock) => assert.equal(lock.degraded, true))
    const lock = await redlock.acquire(uniqueKey(), 60_000)
    assert.deepEqual(await points('quorlock.locks.held'), [[all, 1]])
    await lock.release()
    assert.deepEqual(await points('quorlock.locks.held'), [[all, 0]])
    assert.deepEqual(await points('quorlock.degraded'), [[all, 1]])
    assert.deepEqual(await points('quorlock.acquire.duration'), [[{ ...all, 'quorlock.outcome': 'degraded' }, 2]])
    assert.deepEqual(await points('quorlock.hold.duration'), [[{ ...all, 'quorlock.outcome': 'released' }, 2]])
  })
})

describe('an instrument that throws', () => {
  test('harms no call, and is told once', async (t) => {
    const told = warnings(t, 'METRICS')
    const redlock = open(t, 'memory')
    const { meter } = makeMeter(t)
    const createHistogram = () => ({
      record: () => {
        throw new Error('out of order')
      },
    })
    const broken = Object.assign(Object.create(meter), { createHistogram })
    observe(t, { redlock, meter: broken })
    assert.equal(await redlock.withLock('a', 1000, () => 7), 7)
    await until(() => told.length > 0)
    assert.deepEqual(told, ['a metric could not be recorded: out of order. This is shown once'])
  })
})

describe('a meter', () => {
  const NEEDED = [
    'createHistogram',
    'createCounter',
    'createObservableCounter',
    'createObservableUpDownCounter',
    'createObservableGauge',
    'addBatchObservableCallback',
    'removeBatchObservableCallback',
  ]
  for (const name of NEEDED) {
    test(`without ${name} is none`, (t) => {
      const redlock = open(t, 'memory')
      const meter = Object.assign(Object.create(makeMeter(t).meter), { [name]: undefined })
      const refused = { code: 'ERR_INVALID_ARG_TYPE', message: /meter must be a Meter of OpenTelemetry/ }
      assert.throws(() => observeWithOpenTelemetry({ redlock, meter }), refused)
    })
  }

  for (const name of NEEDED.slice(0, -1)) {
    test(`whose ${name} throws leaves nothing behind`, (t) => {
      const redlock = open(t, 'memory')
      const mine = new Error('mine')
      const meter = Object.create(makeMeter(t).meter)
      meter[name] = () => {
        throw mine
      }
      assert.throws(
        () => observeWithOpenTelemetry({ redlock, meter }),
        (error) => error === mine,
      )
      assert.equal(channel('quorlock:acquire').hasSubscribers, false)
      delete meter[name]
      observe(t, { redlock, meter })
    })
  }
})

describe('stop', () => {
  test('ends all of it, and the meter can be used again', async (t) => {
    const redlock = open(t, 'memory')
    const { meter, points } = makeMeter(t)
    const observation = observe(t, { redlock, meter })
    await redlock.withLock('a', 1000, () => {})
    observation.stop()
    observation.stop()
    await redlock.withLock('a', 1000, () => {})
    const count = async () => (await points('quorlock.acquire.duration'))[0][1]
    assert.equal(await count(), 1)
    assert.deepEqual(await points('quorlock.locks.held'), [])
    observe(t, { redlock, meter })
    await redlock.withLock('a', 1000, () => {})
    assert.equal(await count(), 2)
    assert.equal((await points('quorlock.locks.held')).length, 1)
  })
})

describe('what is refused', () => {
  test('the same instance or name twice', (t) => {
    const [redlock, other] = [open(t, 'memory:a'), open(t, 'memory:b')]
    const { meter } = makeMeter(t)
    observe(t, { redlock, meter })
    const twice = { code: 'ERR_QUORLOCK_OBSERVED', message: /this meter/ }
    assert.throws(() => observeWithOpenTelemetry({ redlock, meter }), twice)
    assert.throws(() => observeWithOpenTelemetry({ redlock: other, meter }), twice)
    observe(t, { redlocks: { other }, meter })
    observe(t, { redlock, meter: makeMeter(t).meter })
  })

  test('what is no meter, and other wrong options', (t) => {
    const redlock = open(t, 'memory')
    const { meter } = makeMeter(t)
    const refused = (options, code, message) =>
      assert.throws(() => observeWithOpenTelemetry(options), { code, message })
    refused({ redlock }, 'ERR_INVALID_ARG_TYPE', /meter must be a Meter of OpenTelemetry/)
    refused({ redlock, meter: {} }, 'ERR_INVALID_ARG_TYPE', /meter/)
    refused({ meter }, 'ERR_INVALID_ARG_TYPE', /redlock/)
    refused({ redlock, meter, prefix: 'a_' }, 'ERR_INVALID_ARG_VALUE', /prefix/)
    refused({ redlock, meter, keyClass: {} }, 'ERR_INVALID_ARG_TYPE', /keyClass/)
    observe(t, { redlock, meter })
  })
})
