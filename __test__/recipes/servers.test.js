'use strict'

// The servers that the example starts, and that they are stopped again in every case.

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { test } = require('node:test')
const assert = require('node:assert/strict')
const { Child } = require('../support/child')
const { until } = require('../support/until')
const { FOLDER, load } = require('./recipe')

const MAIN = path.join(FOLDER, 'main.mjs')
const RUN_LIMIT = { deadline: 120_000 }

/** The example in a process of its own, with a folder of its own for everything temporary. */
function start(t, ...args) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'quorlock-recipes-'))
  fs.chmodSync(folder, 0o711) // databases do not run as root
  const child = new Child(MAIN, { args, env: { TMPDIR: folder } })
  t.after(async () => {
    await child.stop()
    fs.rmSync(folder, { recursive: true, force: true })
  })
  return { child, folder }
}

/** The processes that have been given this folder: servers, holders, whatever they have started. */
function processesOf(folder) {
  return fs.readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && fs.readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`TMPDIR=${folder}\0`)
    } catch {
      return false // gone by now, or somebody else's
    }
  })
}

async function nothingIsLeft(folder) {
  await until(() => processesOf(folder).length === 0, { what: 'no process is left' })
  assert.deepEqual(fs.readdirSync(folder), [])
}

test('the example runs every step, prints the table, and leaves nothing behind', async (t) => {
  const { child, folder } = start(t, '--store', 'http', '--store', 'redis')
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
  const { child, folder } = start(t, '--store', 'postgres')
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
    const { child, folder } = start(t, ...args)
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
