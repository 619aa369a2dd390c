'use strict'

// 'local' is one for the process: worker threads exclude each other as they did on the nodes, other prefixes do not.

const path = require('node:path')
const assert = require('node:assert/strict')
const { once } = require('node:events')
const { test } = require('node:test')
const { Worker } = require('node:worker_threads')
const { nowhere } = require('./away')
const { open, uniqueKey } = require('../support/quorlock')

const THREAD = path.join(__dirname, 'fixtures', 'thread.js')

test("'local' is shared by the threads of a process", async (t) => {
  const nodes = await nowhere()
  const key = uniqueKey()
  const threads = [1, 2].map(() => new Worker(THREAD, { workerData: { nodes, key } }))
  t.after(() => Promise.all(threads.map((thread) => thread.terminate())))
  const tryIn = async (thread) => {
    const answer = once(thread, 'message')
    thread.postMessage('try')
    return (await answer)[0]
  }

  const redlock = open(t, nodes, { fallback: 'local', fallbackAfter: 0 })
  const mine = await redlock.acquire(key, 60_000)
  assert.equal(mine.degraded, true)
  for (const thread of threads) assert.equal(await tryIn(thread), 'taken')

  const other = open(t, nodes, { fallback: 'local', fallbackAfter: 0, keyPrefix: 'other:' })
  const theirs = await other.acquire(key, 60_000)
  assert.equal(theirs.degraded, true)

  await mine.release()
  for (const thread of threads) assert.deepEqual(await tryIn(thread), { degraded: true })
})
