'use strict'

// Holders that are suspended for longer than their lock lasts, and go on writing: a store that looks at tokens loses
// nothing, one that does not loses what others have written meanwhile.

const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const assert = require('node:assert/strict')
const { check, readRecords } = require('../support/checker')
const { Child } = require('../support/child')
const { Cluster } = require('../support/cluster')
const { recordsOf } = require('../support/recorder')
const { RedisServer } = require('../support/redis-server')
const { until, within } = require('../support/until')

const PROCESSES = 5
const TIMES = 12

async function run(t, mode) {
  const cluster = await Cluster.start(3)
  const store = await RedisServer.start()
  t.after(() => Promise.all([cluster.stop(), store.stop()]))
  const elements = async () => ((await store.command('HGET', 'set', 'elements')) ?? '').split(' ').filter(Boolean)

  const folder = recordsOf(t)
  const script = path.join(__dirname, 'fixtures', 'lock-set.js')
  const children = Array.from(
    { length: PROCESSES },
    (_, name) => new Child(script, { args: [mode, store.port, name, TIMES, folder, ...cluster.urls] }),
  )
  t.after(() => Promise.all(children.map((child) => child.stop())))
  const idle = new Set()
  let suspensions = 0

  /** Continued once somebody else has written, or nobody is left who could. */
  async function attend(child) {
    const results = []
    while (results.length === 0) {
      const message = await child.message((word) => word !== 'ready', 120_000)
      if (message !== 'suspended') {
        results.push(message)
        break
      }
      // It says so just before it stops: continued any sooner, it would stop for good.
      await until(() => /\) [Tt] /.test(fs.readFileSync(`/proc/${child.pid}/stat`, 'utf8')), { every: 1 })
      suspensions += 1
      idle.add(child)
      const before = (await elements()).join()
      await until(async () => idle.size === PROCESSES || (await elements()).join() !== before, { deadline: 120_000 })
      idle.delete(child)
      child.process.kill('SIGCONT')
    }
    idle.add(child)
    return results[0]
  }

  await Promise.all(children.map((child) => child.message((word) => word === 'ready')))
  for (const child of children) child.send('go')
  const results = await within(240_000, Promise.all(children.map(attend)), 'all processes')
  for (const { code, stderr } of await Promise.all(children.map((child) => child.ended))) {
    assert.equal(stderr, '')
    assert.equal(code, 0)
  }
  // Whatever becomes of the store: the lock itself behaves alike.
  assert.deepEqual(check(readRecords(folder)).faults, [])
  const left = new Set(await elements())
  const added = results.flatMap((result) => result.added)
  const refused = results.reduce((sum, result) => sum + result.refused, 0)
  const lost = added.filter((element) => !left.has(element))
  t.diagnostic(
    `${mode}: ${suspensions} suspensions, ${added.length} elements added, ${refused} refused, ${lost.length} lost`,
  )
  assert.equal(added.length + refused, PROCESSES * TIMES)
  return { lost, refused, left, added }
}

test(`${PROCESSES} processes, suspended with the lock in their hands: with tokens nothing that was added is lost`, async (t) => {
  const { lost, refused, left, added } = await run(t, 'fenced')
  assert.deepEqual(lost, [])
  assert.deepEqual([...left].toSorted(), added.toSorted())
  assert.ok(refused > 0, 'nobody came late: the test shows nothing')
})

test('the same without tokens: what others have added meanwhile is lost', async (t) => {
  const { lost } = await run(t, 'plain')
  assert.ok(lost.length > 0, 'nobody came late: the test shows nothing')
})
