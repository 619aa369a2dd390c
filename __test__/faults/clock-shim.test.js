'use strict'

// The clock that other tests rely on: a real server and a Node.js process run with it, and follow it.

const { spawnSync } = require('node:child_process')
const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { Clock, withoutClock } = require('../support/clock-shim')
const { RedisServer } = require('../support/redis-server')
const { until } = require('../support/until')

const MINUTE = 60_000
/** Between our looks at two clocks; tenfold, and a busy machine. */
const SLACK = 5000

describe('a clock of its own', { concurrency: true, skip: withoutClock() }, () => {
  async function serverWithClock(t) {
    const clock = new Clock()
    const server = await RedisServer.start({ env: clock.env })
    t.after(async () => {
      await server.stop()
      clock.stop()
    })
    const now = async () => {
      const [seconds, micros] = await server.command('TIME')
      return Number(seconds) * 1000 + Number(micros) / 1000
    }
    const left = async (ttl) => {
      await server.command('SET', 'key', 'value', 'PX', ttl)
      return () => server.command('PTTL', 'key')
    }
    return { clock, server, now, left }
  }
  const near = (found, wanted, slack = SLACK) =>
    assert.ok(Math.abs(found - wanted) < slack, `${found} is not ${wanted}`)

  test('untouched it is ours', async (t) => {
    const { now } = await serverWithClock(t)
    near(await now(), Date.now())
  })

  test('a step forward takes time from keys, a step back gives it', async (t) => {
    const { clock, now, left } = await serverWithClock(t)
    const pttl = await left(2 * MINUTE)
    clock.step(MINUTE)
    near(await now(), Date.now() + MINUTE)
    near(await pttl(), MINUTE)
    clock.step(-MINUTE)
    near(await now(), Date.now() - MINUTE)
    near(await pttl(), 3 * MINUTE)
    clock.real()
    near(await pttl(), 2 * MINUTE)
    clock.step(3 * MINUTE)
    assert.equal(await pttl(), -2)
  })

  test('a rate counts from the moment when it is set', async (t) => {
    const { clock, now } = await serverWithClock(t)
    clock.step(MINUTE)
    const ours = Date.now()
    const before = await now()
    clock.run(100)
    near(await now(), before)
    await until(async () => (await now()) - before > 20_000, { what: 'a hundred times as fast' })
    assert.ok(Date.now() - ours < 10_000)
    clock.run(1)
    const after = await now()
    near(await now(), after, 2000)
    near(Number(clock.now / 1000n), await now())
  })

  test('frozen, keys stay as they are, until it is moved', async (t) => {
    const { clock, server, now, left } = await serverWithClock(t)
    clock.freeze(1_700_000_000_123)
    assert.equal(await now(), 1_700_000_000_123)
    const pttl = await left(5000)
    assert.equal(await pttl(), 5000)
    await server.command('PING')
    assert.equal(await pttl(), 5000)
    clock.advance(4999)
    assert.equal(await pttl(), 1)
    clock.advance(2)
    assert.equal(await pttl(), -2)
    assert.throws(() => {
      clock.real()
      clock.advance(1)
    }, /frozen/)
  })

  test('Node.js reads it too, and no other clock is changed', (t) => {
    const clock = new Clock()
    t.after(() => clock.stop())
    const year = 365 * 24 * 60 * MINUTE
    clock.step(10 * year)
    const print = 'console.log(JSON.stringify([Date.now(), process.hrtime()[0]]))'
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', print], {
      env: { ...process.env, ...clock.env },
      encoding: 'utf8',
      timeout: 60_000,
    })
    assert.equal(stderr, '')
    const [wall, monotonic] = JSON.parse(stdout)
    near(wall, Date.now() + 10 * year)
    near(monotonic * 1000, process.hrtime()[0] * 1000)
  })
})
