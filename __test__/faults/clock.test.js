'use strict'

// Wall clocks of nodes that are stepped or run at another rate, and those of clients that are years off. Where a majority
// jumps ahead two may hold a lock, but no two with one token; clocks that are behind keep locks for longer, no more.

const path = require('node:path')
const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { Child } = require('../support/child')
const { Clock, withoutClock } = require('../support/clock-shim')
const { clockedServers } = require('../support/clocked')
const { Cluster } = require('../support/cluster')
const { Contenders } = require('../support/contenders')
const { allUp, elsewhere, uniqueKey } = require('../support/quorlock')
const { until, within } = require('../support/until')
const { warnings } = require('../support/warnings')

const HOLDER = path.join(__dirname, 'fixtures', 'holder.js')
const MINUTE = 60_000
const YEARS = 10 * 365 * 24 * 60 * MINUTE

async function setUp(t, options) {
  const { cluster, clocks } = await clockedServers(t)
  const holder = await allUp(t, cluster.urls, options)
  const other = await allUp(t, cluster.urls, { ...options, ...elsewhere })
  const key = uniqueKey()
  const held = async (ttl, how) => {
    const lock = await holder.acquire(key, ttl, how)
    await until(async () => (await cluster.holding(key)) === 3, { what: 'it is on all nodes' })
    return lock
  }
  return { cluster, clocks, holder, other, key, held }
}

/** Resolves with the id under which a process held `key` on all nodes when it was killed. */
async function heldByTheDead(t, cluster, key, ttl) {
  const child = new Child(HOLDER, { args: [key, ttl, ...cluster.urls] })
  t.after(() => child.stop())
  await child.message(({ held }) => held)
  await until(async () => (await cluster.holding(key)) === 3, { every: 1 })
  const id = await cluster.servers[0].command('GET', key)
  await child.stop()
  assert.match(id, /^[0-9a-f]{32}$/)
  return id
}

describe('clocks of nodes', { concurrency: true, skip: withoutClock() }, () => {
  for (const fencing of [false, true]) {
    const how = fencing ? 'with tokens' : 'without tokens'

    test(`one is a minute ahead, ${how}: its keys are gone, the lock is not`, async (t) => {
      const { cluster, clocks, holder, other, key, held } = await setUp(t, { fencing })
      const lock = await held(5000, { renew: true })
      const warned = warnings(t, 'DEGRADED')
      clocks[0].step(MINUTE)
      assert.equal(await cluster.servers[0].command('EXISTS', key), 0)
      assert.equal(await other.tryAcquire(key, 5000), null)
      if (fencing) {
        // With tokens it votes for nobody, and is not filled.
        await until(() => holder.stats().extended >= 2, { what: 'it is renewed' })
        assert.equal(await cluster.holding(key), 2)
        const { host } = new URL(cluster.urls[0])
        const wrong = new RegExp(`^${host}: the server's clock is (59|60)\\.\\d s ahead of this process's$`)
        await until(() => warned.some((message) => wrong.test(message)), { what: 'a warning' })
      } else await until(async () => (await cluster.holding(key)) === 3, { what: 'the next renewal fills it' })
      assert.equal(lock.isHeld, true)
      assert.equal(await lock.release(), 'released')
      // The other way round, too: nobody minds a clock that is wrong already.
      const next = await other.acquire(key, 5000, { wait: 5000 })
      if (fencing) assert.ok(next.token > lock.token)
      assert.equal(await next.release(), 'released')
    })

    test(`one is a minute behind, ${how}: what is left there of a dead holder keeps nobody out`, async (t) => {
      const { cluster, clocks, other, key } = await setUp(t, { fencing })
      const id = await heldByTheDead(t, cluster, key, 2000)
      clocks[0].step(-MINUTE)
      const next = await within(10_000, other.acquire(key, 5000, { wait: 10_000 }), 'the next')
      assert.equal(await cluster.servers[0].command('GET', key), id)
      assert.equal(await next.release(), 'released')
    })

    test(`two are a minute behind, ${how}: what a dead holder had lives too long there, as the error says`, async (t) => {
      const { cluster, clocks, other, key } = await setUp(t, { fencing, maxTtl: 5000 })
      await heldByTheDead(t, cluster, key, 2000)
      const warned = warnings(t, 'DEGRADED')
      for (const clock of clocks.slice(1)) clock.step(-MINUTE)
      await assert.rejects(other.acquire(key, 5000, { wait: 1500 }), (error) => {
        assert.equal(error.code, 'ERR_LOCK_CONTENDED')
        assert.ok(error.retryAfter > MINUTE / 2, `more than it was ever granted for: ${error.retryAfter}`)
        return true
      })
      await until(() => warned.some((message) => message.includes('more than any lock')), { what: 'a warning' })
      const waiting = other.acquire(key, 5000, { wait: 30_000 })
      for (const clock of clocks) clock.real()
      const next = await within(10_000, waiting, 'the next, once the clocks are right')
      assert.equal(await next.release(), 'released')
    })
  }

  test('two are a minute behind: a holder that lives gives back what it has no use for', async (t) => {
    const { cluster, clocks, other, key, held } = await setUp(t, {})
    const lock = await held(1000)
    for (const clock of clocks.slice(1)) clock.step(-MINUTE)
    await until(() => !lock.isHeld)
    await until(async () => (await cluster.holding(key)) === 0, { what: 'nothing is left of it' })
    const next = await other.acquire(key, 5000, { wait: 5000 })
    assert.equal(await next.release(), 'released')
  })

  test('one is a minute off when it is reached: a warning says so, without tokens too', async (t) => {
    const { cluster, clocks } = await clockedServers(t)
    const warned = warnings(t, 'DEGRADED')
    const [ahead, , behind] = cluster.urls.map((url) => new URL(url).host)
    clocks[0].step(MINUTE)
    clocks[2].step(-MINUTE)
    await allUp(t, cluster.urls, { fencing: false })
    await until(() => warned.length === 2)
    warned.sort((one, other) => one.includes('behind') - other.includes('behind'))
    assert.match(warned[0], new RegExp(`^${ahead}: the server's clock is (59|60)\\.\\d s ahead of this process's$`))
    assert.match(warned[1], new RegExp(`^${behind}: the server's clock is (59|60)\\.\\d s behind this process's$`))
  })

  test('two are a minute ahead: two may hold it, no two have one token, and the first is told', async (t) => {
    const { cluster, clocks, other, key, held } = await setUp(t, { fencing: true })
    const lock = await held(5000, { renew: true })
    const { signal } = lock
    for (const clock of clocks.slice(1)) clock.step(MINUTE)
    assert.equal(await cluster.holding(key), 1)
    const next = await other.acquire(key, 5000, { wait: 5000, renew: true })
    assert.ok(next.token > lock.token, `${next.token} after ${lock.token}`)
    await until(() => signal.aborted, { what: 'the first hears of it' })
    assert.equal(signal.reason.reason, 'gone')
    assert.equal(next.isHeld, true)
    assert.equal(await lock.release(), 'expired')
    assert.equal(await next.release(), 'released')
    // Back again: the tokens go on from where they were, a minute ahead of everybody's time.
    for (const clock of clocks) clock.real()
    const last = await other.acquire(key, 5000, { wait: 5000 })
    assert.ok(last.token > next.token, `${last.token} after ${next.token}`)
    assert.equal(await last.release(), 'released')
  })

  for (const rate of [1.1, 0.9]) {
    test(`one runs at ${rate} of the rate: processes that renew exclude each other`, async (t) => {
      const { cluster, clocks } = await clockedServers(t)
      clocks[0].run(rate)
      const contenders = await Contenders.start(t, cluster.urls, { ttl: 500, options: { fencing: true } })
      await contenders.getOn('with such a clock', { count: 20 })
      const { holds, faults } = await contenders.end()
      assert.deepEqual(faults, [])
      assert.ok(holds.length >= 60)
    })
  }

  test('two run a tenth too slow, and a holder is suspended: nobody gets in too early', async (t) => {
    const { cluster, clocks } = await clockedServers(t)
    for (const clock of clocks.slice(1)) clock.run(0.9)
    const contenders = await Contenders.start(t, cluster.urls, { ttl: 500, options: { fencing: true } })
    await contenders.getOn('with such clocks')
    process.kill(contenders.pids[0], 'SIGSTOP')
    await contenders.getOn('without the one that was suspended', { count: 20, together: true })
    process.kill(contenders.pids[0], 'SIGCONT')
    await contenders.getOn('with it')
    const { faults } = await contenders.end()
    assert.deepEqual(faults, [])
  })

  test('all run a tenth too fast: a lock that is renewed is held', async (t) => {
    const { clocks, other, key, held } = await setUp(t, { nodeTimeout: 2000 })
    for (const clock of clocks) clock.run(1.1)
    const lock = await held(2500, { renew: true })
    const end = performance.now() + 4000
    while (performance.now() < end) assert.equal(await other.tryAcquire(key, 8000), null)
    assert.equal(lock.isHeld, true)
    assert.equal(await lock.release(), 'released')
  })
})

describe('clocks of clients', { concurrency: true, skip: withoutClock() }, () => {
  test('years off, and stepped by years while they hold and wait: nothing changes, tokens ascend', async (t) => {
    const cluster = await Cluster.start(3)
    t.after(() => cluster.stop())
    const clocks = [new Clock(), new Clock(), new Clock()]
    clocks[0].step(YEARS)
    clocks[1].step(-YEARS)
    const contenders = await Contenders.start(t, cluster.urls, {
      options: { fencing: true },
      env: (i) => clocks[i].env,
    })
    t.after(() => clocks.map((clock) => clock.stop()))
    await contenders.getOn('years apart', { count: 10 })
    for (const [i, clock] of clocks.entries()) clock.step([-YEARS, YEARS, 7 * MINUTE][i])
    await contenders.getOn('years apart the other way', { count: 10 })
    for (const clock of clocks) clock.run(0.5)
    await contenders.getOn('at half the rate', { count: 10 })
    for (const clock of clocks) clock.real()
    await contenders.getOn('right again', { count: 10 })
    const expected = /the server's clock is [\d.]+ s (ahead of|behind) this process's$/
    const { holds, faults, outcomes } = await contenders.end({ expected })
    assert.deepEqual(faults, [])
    for (const { lost } of outcomes) assert.equal(lost, 0)
    // What a node takes for too new or too old never becomes a token: all are of about this time.
    const now = Date.now() * 1000
    for (const { token } of holds) assert.ok(Math.abs(token - now) < 60 * MINUTE * 1000, `${token}, now ${now}`)
  })
})
