'use strict'

// No local port is left for a connection (EADDRNOTAVAIL): in a network of its own that has four of them, for which it takes
// root.

const { spawn, spawnSync } = require('node:child_process')
const { once } = require('node:events')
const path = require('node:path')
const { test } = require('node:test')
const assert = require('node:assert/strict')
const { within } = require('../support/until')

const SCRIPT = path.join(__dirname, 'fixtures', 'local-ports.js')
const PORTS = '/proc/sys/net/ipv4/ip_local_port_range'
/** With a process namespace, too: nothing outlives its first process. */
const APART = ['--net', '--pid', '--fork', '--kill-child', 'sh', '-c']
const prepare = `ip link set lo up && echo '40000 40003' > ${PORTS}`
const canDoIt = spawnSync('unshare', [...APART, prepare]).status === 0
const skip = !canDoIt && 'a network of its own takes root, unshare and ip: descriptors.test.js stands for it'

test('no local port is left: the vote says so, and all is well afterwards', { skip }, async (t) => {
  const words = [...APART, `${prepare} && exec "$@"`, 'sh', process.execPath, SCRIPT]
  const child = spawn('unshare', words, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'close')
  t.after(async () => {
    child.kill('SIGKILL')
    await ended
  })
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  assert.deepEqual(await within(60_000, ended, 'the process'), [0, null])
  const { taken, without, then } = JSON.parse(output)
  assert.ok(taken >= 12, `${taken} connections`)
  assert.equal(without.code, 'ERR_QUORUM_UNAVAILABLE')
  assert.ok(without.votes.length >= 2)
  for (const { code, message } of without.votes) {
    assert.equal(code, 'CONNECT')
    assert.match(message, /address/i)
  }
  assert.deepEqual(then, { released: 'released' })
})
