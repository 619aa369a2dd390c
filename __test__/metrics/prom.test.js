// quorlock/metrics with the published prom-client, over three real servers.

const assert = require('node:assert/strict')
const { describe, test } = require('node:test')
const client = require('prom-client')
const { observeWithProm } = require('../../metrics')
const { useCluster } = require('../support/cluster')
const { freePort } = require('../support/ports')
const { open, connected, allUp, uniqueKey } = require('../support/quorlock')
const { until } = require('../support/until')
const { observe } = require('./support')

describe('observeWithProm', () => {
  const cluster = useCluster(3)

  test('counts each outcome of acquire once', async (t) => {
    const redlock = await connected(t, cluster.urls)
    const { figure } = observe(t, { redlock })
    const count = (outcome) => figure('acquire_seconds_count', { outcome, redlock: 'default' })
    const all = ['acquired', 'contended', 'unavailable', 'aborted', 'closed', 'degraded']
    for (const outcome of all) assert.equal(await count(outcome), 0, 'there from the start')

    const key = uniqueKey()
    await redlock.acquire(key, 20_000)
    assert.equal(await redlock.tryAcquire(key, 1000), null)
    await assert.rejects(redlock.acquire(key, 1000, { signal: AbortSignal.abort() }))
    await redlock.close({ timeout: 0 })
    await assert.rejects(redlock.acquire(key, 1000))
    const counts = await Promise.all(all.map(count))
    assert.deepEqual(counts, [1, 1, 0, 1, 1, 0])
    assert.ok((await figure('acquire_seconds_sum', { outcome: 'acquired' })) > 0)
  })

  test('counts what no quorum could be asked for, and what the fallback gave instead', async (t) => {
    const ports = await Promise.all([freePort(), freePort(), freePort()])
    const urls = ports.map((port) => `redis://127.0.0.1:${port}`)
    const redlock = open(t, urls)
    const { figure } = observe(t, { redlock })
    const count = (outcome) => figure('acquire_seconds_count', { outcome })
    await assert.rejects(redlock.acquire('a', 1000, { wait: 0 }), { code: 'ERR_QUORUM_UNAVAILABLE' })
    assert.deepEqual([await count('unavailable'), await count('degraded')], [1, 0])
    await redlock.withLock('a', 1000, () => {}, { fallback: 'local', fallbackAfter: 0 })
    assert.deepEqual([await count('unavailable'), await count('degraded')], [1, 1])
  })

  test('shows what is held and who waits, at the moment of asking', async (t) => {
    const redlock = await connected(t, cluster.urls)
    const { figure } = observe(t, { redlock })
    const gauges = async () => [await figure('locks_held'), await figure('calls_waiting')]
    assert.deepEqual(await gauges(), [0, 0])
    const key = uniqueKey()
    const lock = await redlock.acquire(key, 20_000)
    const waits = redlock.acquire(key, 20_000, { wait: 20_000 })
    await until(() => redlock.stats().waiting === 1)
    assert.deepEqual(await gauges(), [1, 1])
    await lock.release()
    await (await waits).release()
    assert.deepEqual(await gauges(), [0, 0])
    assert.equal(await figure('hold_seconds_count', { outcome: 'released' }), 2)
    assert.ok((await figure('hold_seconds_sum', { outcome: 'released' })) > 0)
  })

  test('counts locks that are lost, by their reason, and extensions', async (t) => {
    const redlock = await connected(t, cluster.urls)
    const { figure } = observe(t, { redlock })
    const lost = (reason) => figure('locks_lost_total', { reason })
    assert.deepEqual([await lost('expired'), await lost('closed')], [0, 0])
    await redlock.acquire(uniqueKey(), 200)
    const early = await redlock.acquire(uniqueKey(), 60_000)
    await early.extend()
    const late = await redlock.acquire(uniqueKey(), 6000)
    await until(async () => (await lost('expired')) === 1)
    await late.extend(60_000) // a tenth of which is left
    await early.release()
    await assert.rejects(early.extend(), { reason: 'released' })
    await redlock.close({ timeout: 0 })
    assert.equal(await lost('closed'), 1)
    assert.equal(await figure('extend_calls_total', { outcome: 'extended' }), 2)
    assert.equal(await figure('extend_calls_total', { outcome: 'released' }), 1)
    assert.equal(await figure('extend_calls_late_total'), 1)
    assert.equal(await figure('extensions_total'), 2)
    assert.equal(await figure('unreleased_total'), 0)
  })

  test('counts a renewal that is late', async (t) => {
    const redlock = await allUp(t, cluster.urls)
    const { figure } = observe(t, { redlock })
    const late = () => figure('renewals_late_total')
    const ttl = 9000
    const lock = await redlock.acquire(uniqueKey(), ttl, { renew: true })
    for (const server of cluster.servers.slice(1)) server.pause()
    // A lock that is lost would have nothing left either.
    await until(() => lock.remaining < ttl / 3)
    assert.equal(await late(), 0)
    for (const server of cluster.servers.slice(1)) server.resume()
    await until(() => lock.remaining > ttl / 2)
    assert.equal(await late(), 1)
    assert.equal(await figure('locks_lost_total', { reason: 'expired' }), 0)
  })

  test('shows each node: up, down, up again, and its round trips', async (t) => {
    const redlock = await allUp(t, cluster.urls, { restartGuard: false })
    const { figure } = observe(t, { redlock })
    const names = redlock.stats().nodes.map(({ name }) => name)
    const up = () => Promise.all(names.map((node) => figure('node_up', { node })))
    await redlock.withLock(uniqueKey(), 5000, () => {})
    assert.deepEqual(await up(), [1, 1, 1])
    // A node that has answered nothing yet has none.
    await until(() => redlock.stats().nodes[0].rtt.p50 > 0)
    const p50 = await figure('node_round_trip_seconds', { node: names[0], quantile: '0.5' })
    const p99 = await figure('node_round_trip_seconds', { node: names[0], quantile: '0.99' })
    assert.ok(p50 > 0 && p99 >= p50 && p99 < 10, `${p50} and ${p99}, in seconds`)
    await cluster.servers[0].kill()
    await until(async () => (await up()).join() === '0,1,1')
    await cluster.servers[0].launch()
    await until(async () => (await up()).join() === '1,1,1')
  })

  test('never shows a key', async (t) => {
    const redlock = await connected(t, cluster.urls)
    const { register } = observe(t, { redlock, keyClass: () => 'orders' })
    const key = 'customer-4711'
    const other = observe(t, { redlock })
    await redlock.withLock(key, 5000, async (lock) => {
      await lock.extend()
      await redlock.tryAcquire(key, 1000)
    })
    await redlock.acquire([key, `${key}-2`], 5000)
    await redlock.close({ timeout: 0 })
    for (const text of [await register.metrics(), await other.register.metrics()]) {
      assert.match(text, /outcome="acquired"/)
      assert.match(text, /reason="closed"/)
      assert.doesNotMatch(text, /customer|4711/)
    }
  })

  test('counts by the classes that the user maps keys to', async (t) => {
    const redlock = await connected(t, cluster.urls)
    const seen = []
    const keyClass = (key) => {
      seen.push(key)
      return typeof key === 'string' ? key.split(':')[0] : 'several'
    }
    const { figure } = observe(t, { redlock, keyClass })
    await redlock.withLock('stock:1', 5000, () => {})
    await redlock.withLock('stock:2', 5000, (lock) => lock.extend())
    await redlock.withLock(['order:1', 'order:2'], 5000, () => {})
    const acquired = (name) => figure('acquire_seconds_count', { outcome: 'acquired', key_class: name })
    assert.deepEqual([await acquired('stock'), await acquired('several'), await acquired('order')], [2, 1, undefined])
    assert.equal(await figure('hold_seconds_count', { outcome: 'released', key_class: 'stock' }), 2)
    assert.equal(await figure('extend_calls_total', { key_class: 'stock' }), 1)
    assert.deepEqual(seen.at(-1), ['order:1', 'order:2'])
  })
})

describe('several observations', () => {
  test('of several instances, each under its name', async (t) => {
    const [orders, stock] = [open(t, 'memory:orders'), open(t, 'memory:stock')]
    const { figure } = observe(t, { redlocks: { orders, stock } })
    await orders.withLock('a', 1000, () => {})
    await stock.acquire('a', 1000)
    const acquired = (redlock) => figure('acquire_seconds_count', { outcome: 'acquired', redlock })
    assert.deepEqual([await acquired('orders'), await acquired('stock')], [1, 1])
    assert.deepEqual(
      [await figure('locks_held', { redlock: 'orders' }), await figure('locks_held', { redlock: 'stock' })],
      [0, 1],
    )
    assert.equal(await figure('node_up', { redlock: 'stock', node: 'memory:stock' }), 1)
  })

  test('one after the other share a registry, until the last has stopped', async (t) => {
    const register = new client.Registry()
    const [orders, stock] = [open(t, 'memory:orders'), open(t, 'memory:stock')]
    const one = observe(t, { register, redlocks: { orders } })
    const two = observe(t, { register, redlocks: { stock }, keyClass: () => 'all' })
    await orders.withLock('a', 1000, () => {})
    await stock.withLock('a', 1000, () => {})
    assert.equal(await one.figure('acquire_seconds_count', { redlock: 'orders', outcome: 'acquired' }), 1)
    assert.equal(await one.figure('acquire_seconds_count', { redlock: 'stock', key_class: 'all' }), 1)
    one.stop()
    one.stop()
    assert.equal(await two.figure('locks_held', { redlock: 'orders' }), undefined)
    assert.equal(await two.figure('locks_held', { redlock: 'stock' }), 0)
    await orders.withLock('a', 1000, () => {})
    assert.equal(await two.figure('acquire_seconds_count', { redlock: 'orders', outcome: 'acquired' }), 1, 'stopped')
    two.stop()
    assert.equal(await register.metrics(), '\n')
    const again = observe(t, { register, redlocks: { orders } })
    assert.equal(await again.figure('locks_held', { redlock: 'orders' }), 0)
  })

  test('are refused where they would count twice', (t) => {
    const register = new client.Registry()
    const [redlock, other] = [open(t, 'memory:a'), open(t, 'memory:b')]
    observe(t, { register, redlock })
    const refused = (options, message) =>
      assert.throws(() => observeWithProm({ client, register, ...options }), { code: 'ERR_QUORLOCK_OBSERVED', message })
    refused({ redlock }, /"default" is observed in this registry; stop\(\) that first/)
    refused({ redlocks: { again: redlock } }, /"default" is observed/)
    refused({ redlock: other }, /another instance called "default".*name/)
    observe(t, { register, redlocks: { other } })
    observe(t, { redlock })
    const ends = observeWithProm({ client, register, redlock, prefix: 'second_' })
    ends.stop()
    assert.throws(
      () => observeWithProm({ client, register, redlocks: { x: open(t, 'memory:c') }, buckets: { hold: [1] } }),
      {
        code: 'ERR_INVALID_ARG_VALUE',
        message: /buckets/,
      },
    )
  })

  test('are refused beside a metric of somebody else, and leave nothing behind', async (t) => {
    const register = new client.Registry()
    new client.Gauge({ name: 'quorlock_node_up', help: 'mine', registers: [register] })
    const redlock = open(t, 'memory')
    assert.throws(() => observeWithProm({ client, register, redlock }), {
      code: 'ERR_QUORLOCK_OBSERVED',
      message: /quorlock_node_up of somebody else; give another prefix/,
    })
    assert.equal(register.getMetricsAsArray().length, 1)
  })

  test('leave nothing behind where the client throws half-way', (t) => {
    const register = new client.Registry()
    const redlock = open(t, 'memory')
    const mine = new Error('mine')
    class Gauge {
      constructor() {
        throw mine
      }
    }
    assert.throws(
      () => observeWithProm({ client: { ...client, Gauge }, register, redlock }),
      (error) => error === mine,
    )
    assert.equal(register.getMetricsAsArray().length, 0)
    observe(t, { register, redlock })
  })

  test('go on in a registry that was cleared', async (t) => {
    const register = new client.Registry()
    const [one, two] = [open(t, 'memory:a'), open(t, 'memory:b')]
    const first = observe(t, { register, redlock: one })
    register.clear()
    const second = observe(t, { register, redlock: two })
    first.stop()
    assert.equal(await second.figure('locks_held'), 0, 'what is not its own it does not take away')
  })
})

describe('the options of observeWithProm', () => {
  const refused = (options, code, message) => (t) => {
    const redlock = open(t, 'memory')
    const register = new client.Registry()
    const given = typeof options === 'function' ? options(redlock) : options
    assert.throws(() => observeWithProm(given === null ? null : { client, register, ...given }), { code, message })
    assert.deepEqual(register.getMetricsAsArray(), [])
  }
  const TYPE = 'ERR_INVALID_ARG_TYPE'
  const VALUE = 'ERR_INVALID_ARG_VALUE'
  for (const [what, options, code, message] of [
    ['nothing', null, TYPE, /options/],
    ['no instance', {}, TYPE, /redlock must be a Redlock; got undefined/],
    ['no Redlock', { redlock: {} }, TYPE, /redlock/],
    ['both forms', (redlock) => ({ redlock, redlocks: { redlock } }), VALUE, /not both/],
    ['an empty set', { redlocks: {} }, VALUE, /at least one/],
    ['a set with nothing', { redlocks: { a: null } }, TYPE, /redlocks\.a/],
    ['an instance twice', (redlock) => ({ redlocks: { a: redlock, b: redlock } }), VALUE, /b is also a/],
    ['an unknown name', (redlock) => ({ redlock, labels: {} }), VALUE, /labels/],
    ['a key class', (redlock) => ({ redlock, keyClass: 'orders' }), TYPE, /keyClass must be a function/],
    ['a prefix', (redlock) => ({ redlock, prefix: 'my-app_' }), VALUE, /prefix/],
    ['a prefix that is no string', (redlock) => ({ redlock, prefix: 7 }), TYPE, /prefix/],
    ['a registry', (redlock) => ({ redlock, register: {} }), TYPE, /register must be a Registry/],
    ['a client', (redlock) => ({ redlock, client: {} }), TYPE, /client must be what prom-client exports/],
    ['buckets', (redlock) => ({ redlock, buckets: { wait: [1] } }), VALUE, /buckets/],
    ['bounds that descend', (redlock) => ({ redlock, buckets: { hold: [2, 1] } }), VALUE, /buckets\.hold/],
    ['bounds that are none', (redlock) => ({ redlock, buckets: { acquire: [] } }), TYPE, /buckets\.acquire/],
  ]) {
    test(`wrong: ${what}`, refused(options, code, message))
  }

  test('buckets', async (t) => {
    const redlock = open(t, 'memory')
    const { register } = observe(t, { redlock, buckets: { acquire: [1, 3] } })
    assert.match(await register.metrics(), /acquire_seconds_bucket\{le="3"/)
  })
})
