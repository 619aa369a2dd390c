'use strict'

// What the application throws right after an answer of ours is its own: it reaches the process as from any callback.

const path = require('node:path')
const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { useCluster } = require('../support/cluster')
const { Child } = require('../support/child')
const { uniqueKey } = require('../support/quorlock')
const { within } = require('../support/until')

const SCRIPT = path.join(__dirname, 'fixtures', 'exceptions.js')

describe('exceptions of the application', () => {
  const cluster = useCluster(1)

  async function run(t, scenario) {
    const child = new Child(SCRIPT, { args: [scenario, cluster.urls[0], uniqueKey()] })
    t.after(() => child.stop())
    return await within(20_000, child.ended, 'the process')
  }

  for (const scenario of ['ticks', 'microtasks']) {
    test(`all that ${scenario} throw are uncaught exceptions`, async (t) => {
      const { code, signal, stdout, stderr } = await run(t, scenario)
      assert.deepEqual({ code, signal, stdout, stderr }, { code: 0, signal: null, stdout: '20\n', stderr: '' })
    })
  }

  test('so is the error of a stream within a section', async (t) => {
    const { code, stdout } = await run(t, 'stream')
    assert.equal(stdout, "[ 'a stream that nobody listens to' ]\n")
    assert.equal(code, 0)
  })

  test('and it ends a process that does not listen to them', async (t) => {
    const { code, stderr } = await run(t, 'unheard')
    assert.equal(code, 1)
    assert.match(stderr, /a defect of the application/)
  })
})
