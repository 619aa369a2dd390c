'use strict'

// The job a lock is for: several processes change one thing that cannot protect itself.

const path = require('node:path')
const { test } = require('node:test')
const assert = require('node:assert/strict')
const { Cluster } = require('../support/cluster')
const { check, readRecords } = require('../support/checker')
const { Child } = require('../support/child')
const { recordsOf } = require('../support/recorder')
const { RedisServer } = require('../support/redis-server')
const { until, within } = require('../support/until')

const PROCESSES = 4
const TIMES = 1000

test('4 processes x 1,000 increments under one lock, a node killed and restarted in the middle', async (t) => {
  // The append-only file is what makes a restart harmless: a node that came back empty could vote twice for one key.
  const cluster = await Cluster.start(3, { appendonly: true })
  const store = await RedisServer.start()
  t.after(() => Promise.all([cluster.stop(), store.stop()]))
  await store.command('SET', 'counter', 0)
  const counter = async () => Number(await store.command('GET', 'counter'))

  const script = path.join(__dirname, 'fixtures', 'increment.js')
  const folder = recordsOf(t)
  const args = [store.port, TIMES, folder, ...cluster.urls]
  const children = Array.from({ length: PROCESSES }, () => new Child(script, { args }))
  t.after(() => Promise.all(children.map((child) => child.stop())))
  await Promise.all(children.map((child) => child.message((message) => message === 'ready')))
  for (const child of children) child.send('go')

  const start = performance.now()
  const [node] = cluster.servers
  await until(async () => (await counter()) > 800, { deadline: 120_000 })
  await node.kill()
  const killedAt = await counter()
  await until(async () => (await counter()) > killedAt + 800, {
    deadline: 120_000,
    what: 'it goes on without the node',
  })
  await node.launch()
  const backAt = await counter()
  assert.ok(backAt < PROCESSES * TIMES, 'the node came back in the middle')

  const ends = await within(240_000, Promise.all(children.map((child) => child.ended)), 'all processes')
  const seconds = (performance.now() - start) / 1000
  for (const { code, stderr } of ends) {
    assert.equal(stderr, '')
    assert.equal(code, 0)
  }
  t.diagnostic(
    `${PROCESSES * TIMES} increments in ${seconds.toFixed(1)} s; node killed at ${killedAt}, back at ${backAt}`,
  )
  assert.equal(await counter(), PROCESSES * TIMES)
  assert.equal(Number(await store.command('GET', 'overlaps')), 0)
  const { holds, faults } = check(readRecords(folder))
  assert.deepEqual({ holds: holds.length, faults }, { holds: PROCESSES * TIMES, faults: [] })
  await until(async () => (await cluster.holding('counter')) === 0)
})
