'use strict'

// Mixed work while a node is stopped and continued at random, then: is anything left? About 6 s here;
// QUORLOCK_SOAK_SECONDS=60 is the long form, QUORLOCK_SOAK_SEED repeats a run.

const path = require('node:path')
const { test } = require('node:test')
const assert = require('node:assert/strict')
const { Child } = require('../support/child')

const seconds = Number(process.env.QUORLOCK_SOAK_SECONDS ?? 6)
const seed = Number(process.env.QUORLOCK_SOAK_SEED ?? Math.floor(Math.random() * 2 ** 32))

test(`soak of ${seconds} s`, { timeout: (seconds + 60) * 1000 }, async (t) => {
  t.diagnostic(`QUORLOCK_SOAK_SEED=${seed}`)
  const child = new Child(path.join(__dirname, 'soak.js'), {
    args: [seconds, seed],
    execArgv: ['--expose-gc', '--max-semi-space-size=1'],
  })
  t.after(() => child.stop())
  const { code, stdout, stderr } = await child.ended
  for (const line of stdout.trim().split('\n')) t.diagnostic(line)
  assert.equal(stderr, '')
  assert.equal(code, 0)
})
