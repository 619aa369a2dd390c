'use strict'

// The servers that the example starts, and that they are stopped again in every case.

const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const assert = require('node:assert/strict')
const { launch, nothingIsLeft, processesOf } = require('../support/launched')
const { until } = require('../support/until')
const { FOLDER, load } = require('./recipe')

const MAIN = path.join(FOLDER, 'main.mjs')
const RUN_LIMIT = { deadline: 120_000 }

test('the example runs every step, prints the table, and leaves nothing behind', async (t) => {
  const { child, folder } = launch(t, MAIN, '--store', 'http', '--store', 'redis')
  await until(() => processesOf(folder).length > 0)
  const { code, stdout, stderr } = await child.ended
  assert.equal(stderr, '')
  assert.equal(code, 0)
  for (const name of ['HTTP, If-Match', 'Redis']) {
    assert.match(stdout, new RegExp(` ${name} +│ yes +│ refused +│ +2 │ +2 │ +0 \n`))
    assert.match(stdout, new RegExp(` ${name} +│ no +│ accepted +│ +3 │ +1 │ +2 \n`))
  }
  await nothingIsLeft(folder)
})

test('ended in the middle, with a holder that is suspended, it leaves nothing behind either', async (t) => {
  const { child, folder } = launch(t, MAIN, '--store', 'postgres')
  await until(() => child.stdout.includes('A takes the lock'), RUN_LIMIT)
  assert.ok(processesOf(folder).length > 3)
  child.kill('SIGTERM')
  assert.equal((await child.ended).code, 143)
  await nothingIsLeft(folder)
})

test('what it cannot do it says, before it starts anything', async (t) => {
  for (const [args, message] of [
    [['--store', 'oracle'], '--store must be one of postgres, mariadb, redis, http, not oracle'],
    [['--url', 'http://localhost'], '--url needs exactly one --store'],
    [['--speed', '7'], "Unknown option '--speed'"],
  ]) {
    const { child, folder } = launch(t, MAIN, ...args)
    const { code, stdout, stderr } = await child.ended
    assert.equal(code, 2)
    assert.equal(stdout, '')
    assert.ok(stderr.startsWith(message), stderr)
    await nothingIsLeft(folder)
  }
})

test('a server that does not start is an error that says why, and its folder is gone', async () => {
  const { Server } = await load('servers/server.mjs')
  let folder
  const launch = (program, ...args) =>
    Server.start('redis', (server) => {
      folder = server.folder
      return server.serve(program, args)
    })
  await assert.rejects(
    launch('redis-server', '--port', 'seven'),
    /^Error: redis-server ended with 1:\n[\s\S]*'port "seven"'/,
  )
  assert.equal(fs.existsSync(folder), false)
  await assert.rejects(launch('no-such-server'), /^Error: no-such-server was not found: install redis /)
  assert.equal(fs.existsSync(folder), false)
})
