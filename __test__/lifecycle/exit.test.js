'use strict'

// How a process with a Redlock ends: by itself when it is idle, and never with more left behind than a ttl.

const path = require('node:path')
const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { useCluster } = require('../support/cluster')
const { Child } = require('../support/child')
const { freePort } = require('../support/ports')
const { open, uniqueKey } = require('../support/quorlock')
const { sleep, timed, until, within } = require('../support/until')

const SCRIPT = path.join(__dirname, 'fixtures', 'scenarios.js')

describe('the end of a process', { concurrency: true }, () => {
  const cluster = useCluster(3)

  function start(t, name, nodes = cluster.urls.join(','), key = uniqueKey()) {
    const child = new Child(SCRIPT, { args: [name, nodes, key] })
    t.after(() => child.stop())
    return { child, key }
  }

  const keysLeft = async (key) => {
    const replies = await Promise.all([cluster.all('KEYS', key), cluster.all('KEYS', `${key}:*`)])
    return replies.flat(2).length
  }
  const gone = (key, what) => until(async () => (await keysLeft(key)) === 0, { what: `${what}: the keys are gone` })

  describe('by itself', { concurrency: true }, () => {
    for (const nodes of ['memory', undefined]) {
      for (const name of ['idle', 'unconnected', 'holding']) {
        test(`${name}, over ${nodes ?? 'Redis'}`, async (t) => {
          const { child, key } = start(t, name, nodes)
          const { code, stderr } = await within(10_000, child.ended, 'the process')
          assert.equal(stderr, '')
          assert.equal(code, 0)
          if (!nodes) await gone(key, name)
        })
      }
    }

    for (const name of ['unconnected', 'unreachable']) {
      test(`${name}, with nobody at the address`, async (t) => {
        const { child } = start(t, name, `redis://127.0.0.1:${await freePort()}`)
        const { code, stdout, stderr } = await within(10_000, child.ended, 'the process')
        assert.equal(stderr, '')
        assert.equal(code, 0)
        assert.equal(stdout, name === 'unreachable' ? 'ERR_QUORUM_UNAVAILABLE\n' : '')
      })
    }

    test('not while a call is waiting', async (t) => {
      const key = uniqueKey()
      await cluster.all('SET', key, 'foreign', 'PX', 60_000)
      const { child } = start(t, 'waiting', undefined, key)
      const listeners = async () => (await cluster.all('PUBSUB', 'NUMSUB', `${key}:quorlock:wake`)).map(([, n]) => n)
      await until(async () => (await listeners()).some((n) => n > 0), { what: 'it waits' })
      // Long enough for a process that nothing keeps alive to end.
      await sleep(1000)
      await cluster.all('DEL', key)
      const { code, stdout, stderr } = await within(20_000, child.ended, 'the process')
      assert.equal(stderr, '')
      assert.equal(stdout, 'got it after waiting\n')
      assert.equal(code, 0)
    })
  })

  for (const name of ['exit', 'exitInSection', 'exitWhileAsking', 'exitWhenTold']) {
    test(`process.exit (${name}) gives the locks back, and soon`, async (t) => {
      const { child, key } = start(t, name)
      await child.message()
      if (name === 'exitWhenTold') child.send('exit')
      const { code, stdout, stderr } = await within(10_000, child.ended, 'the process')
      const ms = Date.now() - Number(stdout)
      assert.equal(stderr, '')
      assert.equal(code, 7)
      assert.ok(ms < 1000, `it ended ${ms} ms after process.exit`)
      await gone(key, name)
    })
  }

  test('an uncaught exception gives the locks back', async (t) => {
    const { child, key } = start(t, 'uncaught')
    const { code, stderr } = await within(10_000, child.ended, 'the process')
    assert.equal(code, 1)
    assert.match(stderr, /a defect of the application/)
    await gone(key, 'uncaught')
  })

  test('close in a SIGTERM handler', async (t) => {
    const { child, key } = start(t, 'sigterm')
    await child.message()
    assert.ok((await keysLeft(key)) > 0)
    child.kill('SIGTERM')
    const { code, stderr } = await within(10_000, child.ended, 'the process')
    assert.equal(stderr, '')
    assert.equal(code, 0)
    await gone(key, 'sigterm')
  })

  test('kill -9: free once the ttl has passed', async (t) => {
    const { child, key } = start(t, 'killed')
    await child.message()
    child.kill('SIGKILL')
    await child.ended
    const redlock = open(t, cluster.urls)
    const { value, ms } = await timed(() => redlock.acquire(`${key}:0`, 1000, { wait: 20_000 }))
    assert.equal(value.isHeld, true)
    assert.ok(ms < 10_000, `${ms} ms`)
  })
})

describe('the end of a process whose nodes hang', () => {
  const cluster = useCluster(3)

  test('process.exit takes its 100 ms and no more', async (t) => {
    const key = uniqueKey()
    const child = new Child(SCRIPT, { args: ['exitWhenTold', cluster.urls.join(','), key] })
    t.after(() => child.stop())
    await child.message()
    for (const server of cluster.servers) server.pause()
    child.send('exit')
    const { code, stdout, stderr } = await within(10_000, child.ended, 'the process')
    const ms = Date.now() - Number(stdout)
    for (const server of cluster.servers) server.resume()
    assert.equal(stderr, '')
    assert.equal(code, 7)
    assert.ok(ms < 1000, `it ended ${ms} ms after process.exit`)
    // What the exit had written is executed once the servers go on.
    await until(async () => (await cluster.holding(`${key}:0`)) === 0)
  })
})
