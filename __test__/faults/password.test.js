'use strict'

// Passwords that come from a function: asked on every connection, so that they may change while we run.

const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { RedisServer } = require('../support/redis-server')
const { unavailable, works } = require('./fault')
const { open, uniqueKey } = require('../support/quorlock')
const { sleep, until } = require('../support/until')

async function server(t, password) {
  const started = await RedisServer.start({ password })
  t.after(() => started.stop())
  return started
}

const ask = (redlock) => () => redlock.acquire(uniqueKey(), 5000, { wait: 0 })

describe('a password function', { concurrency: true }, () => {
  for (const [what, give] of [
    ['returns', (value) => value],
    ['promises', async (value) => sleep(20, value)],
  ]) {
    test(`${what} the password`, async (t) => {
      const node = await server(t, 'first')
      let asked = 0
      const password = () => {
        asked += 1
        return give('first')
      }
      const redlock = open(t, [{ url: node.url, password }])
      await redlock.connect()
      await works(redlock)
      assert.equal(asked, 1)
      assert.equal(await node.command('CLIENT', 'KILL', 'TYPE', 'normal').then((killed) => killed > 0), true)
      const lock = await redlock.acquire(uniqueKey(), 5000, { wait: 20_000 })
      await lock.release()
      await until(() => asked === 2)
    })
  }

  test('rotation: the new one is asked for, held locks live on', async (t) => {
    const node = await server(t, 'first')
    let current = 'first'
    const redlock = open(t, [{ url: node.url, password: () => current }])
    const lock = await redlock.acquire(uniqueKey(), 1500, { renew: true })
    await node.command('CONFIG', 'SET', 'requirepass', 'second')
    current = 'second'
    await node.command('CLIENT', 'KILL', 'TYPE', 'normal')
    await sleep(2500)
    assert.equal(lock.isHeld, true)
    assert.equal(await lock.release(), 'released')
    await works(redlock)
  })

  test('the old password for a while, then the new one: the node comes back', async (t) => {
    const node = await server(t, 'first')
    let current = 'first'
    const redlock = open(t, [{ url: node.url, password: () => current }])
    await redlock.connect()
    const down = new Promise((resolve) => redlock.once('nodeDown', resolve))
    await node.command('CONFIG', 'SET', 'requirepass', 'second')
    await node.command('CLIENT', 'KILL', 'TYPE', 'normal')
    await down
    await until(() => /AUTH/.test(redlock.stats().nodes[0].error), { what: 'the old password is refused' })
    const name = redlock.stats().nodes[0].name
    const error = await unavailable(ask(redlock), { code: 'AUTH' }, [{ name }])
    assert.ok(!/first|second/.test(`${error.message} ${JSON.stringify(error.votes)}`), error.message)
    current = 'second'
    const lock = await redlock.acquire(uniqueKey(), 5000, { wait: 30_000 })
    assert.equal(await lock.release(), 'released')
  })

  for (const [what, password, shown] of [
    [
      'throws',
      () => {
        throw new Error('vault sealed')
      },
      /vault sealed/,
    ],
    ['rejects', () => Promise.reject(new Error('vault sealed')), /vault sealed/],
    ['returns a number', () => 7, /password function/],
    ['returns nothing', () => undefined, /password function/],
  ]) {
    test(`${what}: the node is down with that as its reason, and nothing is unhandled`, async (t) => {
      const node = await server(t, 'first')
      const unhandled = []
      const note = (reason) => unhandled.push(reason)
      process.on('unhandledRejection', note)
      t.after(() => process.off('unhandledRejection', note))
      const redlock = open(t, [{ url: node.url, password }])
      await until(() => redlock.stats().nodes[0].state === 'down')
      await unavailable(ask(redlock), { code: 'AUTH', message: shown }, [{ name: redlock.stats().nodes[0].name }])
      await sleep(50)
      assert.deepEqual(unhandled, [])
    })
  }

  test('never answers: a fault by the deadline, and close does not wait', async (t) => {
    const node = await server(t, 'first')
    const redlock = open(t, [{ url: node.url, password: () => new Promise(() => {}) }])
    await unavailable(ask(redlock), {}, [{ name: redlock.stats().nodes[0].name }])
    const start = performance.now()
    await redlock.close({ timeout: 0 })
    assert.ok(performance.now() - start < 2500)
  })
})
