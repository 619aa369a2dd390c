'use strict'

// Handles nobody released and nobody can reach: they stop renewing, are released, and are reported once per process.
// Those that somebody still relies on are left alone.

const path = require('node:path')
const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { proxies, urlsOf, useCluster } = require('../support/cluster')
const { Child } = require('../support/child')
const { connected, uniqueKey } = require('../support/quorlock')
const { sleep, until, within } = require('../support/until')

describe('garbage collection', { concurrency: true }, () => {
  const cluster = useCluster(1)
  const left = async (key) => (await cluster.servers[0].command('KEYS', `${key}:*`)).length

  function start(t, scenario) {
    const key = uniqueKey()
    const script = path.join(__dirname, 'fixtures', 'dropped.js')
    const child = new Child(script, { args: [scenario, cluster.urls[0], key], execArgv: ['--expose-gc'] })
    t.after(() => child.stop())
    return { child, key }
  }

  test('dropped handles are released, with one warning', async (t) => {
    const { child, key } = start(t, 'dropped')
    await child.message((message) => message === 'taken')
    assert.equal(await left(key), 3)
    child.send('collect')
    await until(async () => (await left(key)) === 0, { deadline: 20_000, what: 'the locks are released' })
    const { code, stderr } = await within(30_000, child.ended, 'the process')
    assert.equal(code, 0)
    assert.equal(stderr.match(/QUORLOCK_UNRELEASED/g)?.length, 1, stderr)
    assert.ok(stderr.includes(key), 'the warning names a key')
  })

  test('a handle that is still referred to lives on', async (t) => {
    const { child } = start(t, 'kept')
    assert.deepEqual(await child.message(undefined, 20_000), { held: true, released: 'released' })
    const { stderr } = await within(10_000, child.ended, 'the process')
    assert.equal(stderr, '')
  })

  test('a running section is never taken away, also when it waits for nothing but its signal', async (t) => {
    const { child, key } = start(t, 'section')
    await child.message((message) => message === 'collected', 20_000)
    assert.equal(child.stderr, '')
    assert.equal(await left(key), 1)
    await cluster.servers[0].command('DEL', `${key}:0`)
    assert.deepEqual(await child.message((message) => message.outcome), { outcome: 'lost' })
    child.send('end')
    const { code, stderr } = await within(10_000, child.ended, 'the process')
    assert.equal(stderr, '')
    assert.equal(code, 0)
  })

  test('old handles can be extended and released while the collector looks for orphans', async (t) => {
    const nodes = await proxies(t, cluster)
    const redlock = await connected(t, urlsOf(nodes), { nodeTimeout: 400 })
    // With every node silent an extension is asked for until the lease ends: a ttl that ends within the test.
    const locks = await Promise.all(Array.from({ length: 60 }, () => redlock.acquire(uniqueKey(), 8000)))
    // Old enough to be watched by the collector only, which looks once a second. Answers that take their time meet
    // it in every phase.
    await sleep(2500)
    for (const node of nodes) node.halfOpen()
    const results = []
    for (const [i, lock] of locks.entries()) {
      await sleep(20)
      results.push(i % 3 === 0 ? lock.extend(8000).catch((error) => error.code) : lock.release())
    }
    const settled = await within(10_000, Promise.all(results), 'every call')
    assert.equal(settled.length, 60)
    assert.ok(settled.every((result) => result === undefined || typeof result === 'string'))
  })
})
