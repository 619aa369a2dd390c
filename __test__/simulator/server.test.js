'use strict'

// The simulator's servers are those that everything is proven with. Here one of them is run beside a real redis-server,
// on a clock that stands still and is moved on between requests: the answers, the keys, their times to live and the
// fences must be the same. And it must be seen where a server makes a mistake.

const { before, after, test } = require('node:test')
const assert = require('node:assert/strict')
const { execFile } = require('node:child_process')
const path = require('node:path')
const { RedisServer } = require('../support/redis-server')
const { Clock, withoutClock } = require('../support/clock-shim')

const root = path.join(__dirname, '..', '..')
const histories = 300
const limitMs = 5 * 60_000
// Those that a server makes, not a client.
const mistakes = ['EqualBallot', 'FenceAtFirst', 'NoTombstone', 'BlindRelease', 'TextCompare', 'ExtendShortens']

const skip = withoutClock()
let clock
let server

before(async () => {
  if (skip) return
  clock = new Clock()
  server = await RedisServer.start({ env: clock.env })
})

after(async () => {
  await server?.stop()
  clock?.stop()
})

/** Not spawnSync: the server writes its log to a pipe that this process reads. */
function compare(mutant) {
  const build = [
    'run',
    '--quiet',
    '--profile',
    'sim',
    '--no-default-features',
    '--features',
    'sim',
    '--bin',
    'simulator',
  ]
  const words = ['differ', server.socket, clock.path, String(histories), '0', mutant]
  return new Promise((resolve) => {
    execFile('cargo', [...build, '--', ...words], { cwd: root, timeout: limitMs }, (error, stdout, stderr) =>
      resolve({ code: error ? error.code : 0, stdout, said: stdout + stderr }),
    )
  })
}

test('a simulated server does what a real one does', { skip }, async () => {
  const { code, said } = await compare('-')
  assert.equal(code, 0, said)
})

for (const mutant of mistakes) {
  test(`a server that makes this mistake is found out: ${mutant}`, { skip }, async () => {
    const { code, stdout, said } = await compare(mutant)
    assert.equal(code, 1, said)
    assert.match(stdout, /^seed \d+: /)
  })
}
