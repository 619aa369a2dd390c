'use strict'

// The shop that stays open, with lock nodes of one's own that want a password: it says where they are, and nothing that is secret.

const path = require('node:path')
const { test } = require('node:test')
const assert = require('node:assert/strict')
const { launch, nothingIsLeft } = require('../support/launched')
const { RedisServer } = require('../support/redis-server')
const { until } = require('../support/until')
const { FOLDER, load } = require('./shop')

const MAIN = path.join(FOLDER, 'run', 'main.mjs')
const SECRET = 'not-for-onlookers'

test('the lock nodes are named without their passwords', async (t) => {
  await load('shop.mjs') // says so where the example is not built
  const nodes = await Promise.all(Array.from({ length: 3 }, () => RedisServer.start({ password: SECRET })))
  t.after(() => Promise.all(nodes.map((node) => node.stop())))
  const urls = nodes.map(({ port }) => `redis://:${SECRET}@127.0.0.1:${port}`)
  process.env.QUORLOCK_NODES = urls.join(',')
  t.after(() => delete process.env.QUORLOCK_NODES)
  const { child, folder } = launch(t, MAIN, '--port', '0', '--items', '3')
  const isOpen = () => child.stdout.includes('Ctrl-C closes the shop.')
  await Promise.race([until(isOpen, { deadline: 120_000, every: 50 }), child.ended])
  assert.ok(isOpen(), child.stderr)
  const names = nodes.map(({ port }) => `127.0.0.1:${port}`)
  assert.ok(child.stdout.includes(`\nLock nodes: ${names.join(', ')}\n`), child.stdout)
  assert.match(child.stdout, /^3 of "shirt-m" are for sale/m)
  child.kill('SIGINT')
  const { code, stdout, stderr } = await child.ended
  assert.equal(code, 0, stderr)
  assert.ok(!`${stdout}${stderr}`.includes(SECRET))
  await nothingIsLeft(folder)
})
