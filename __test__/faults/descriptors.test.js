'use strict'

// A process that has no descriptors left: what needs one fails under its name, nothing ends the process, and once there
// are some again everything goes on.

const { execFileSync, spawnSync } = require('node:child_process')
const path = require('node:path')
const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { Cluster, useCluster } = require('../support/cluster')
const { Child } = require('../support/child')
const { within } = require('../support/until')

const SCRIPT = path.join(__dirname, 'fixtures', 'descriptors.js')
const LIMIT = 120

const withoutLimits = spawnSync('prlimit', ['--version']).error && 'there is no prlimit to lower the limit with'

describe('no descriptors are left', { concurrency: true, skip: withoutLimits }, () => {
  const cluster = useCluster(3)

  async function run(t, scenario, { urls } = cluster, meanwhile = async () => {}) {
    const child = new Child(SCRIPT, { args: [scenario, ...urls] })
    t.after(() => child.stop())
    await child.message((message) => message === 'loaded')
    execFileSync('prlimit', [`--pid=${child.pid}`, `--nofile=${LIMIT}:${LIMIT}`])
    child.send('go')
    await meanwhile(child)
    const seen = await child.message((message) => message.then || message.outcomes, 60_000)
    const { code, signal, stderr } = await within(20_000, child.ended, 'the process')
    assert.deepEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: '' })
    return seen
  }

  const isUnavailable = ({ code, votes, surprise }) => {
    assert.equal(surprise, undefined)
    assert.equal(code, 'ERR_QUORUM_UNAVAILABLE')
    for (const vote of votes) assert.equal(vote.vote, 'faulted')
    assert.ok(
      votes.some((vote) => vote.code === 'CONNECT'),
      JSON.stringify(votes),
    )
  }
  const works = ({ held, released, ...rest }) =>
    assert.deepEqual({ held, released }, { held: true, released: 'released' }, JSON.stringify(rest))

  test('for the first instance: it says so, and the next one works', async (t) => {
    const { threw, then } = await run(t, 'first')
    isUnavailable(threw)
    assert.match(threw.message, /^could not start: the I\/O thread did not start: .*open files/)
    works(then)
  })

  test('when the connections break: the lock is lost in time, and all is well afterwards', async (t) => {
    const own = await Cluster.start(3)
    t.after(() => own.stop())
    const { without, then, lost, released } = await run(t, 'held', own, async (child) => {
      await child.message((message) => message === 'held')
      // Tries to connect fail meanwhile, and leave nothing open.
      await Promise.all(own.servers.map((server) => server.kill()))
      child.send('killed')
      await child.message((message) => message === 'exhausted')
      await Promise.all(own.servers.map((server) => server.launch()))
    })
    assert.deepEqual({ lost, released }, { lost: ['expired'], released: 'unknown' })
    isUnavailable(without)
    works(then)
  })

  test('all but a few, and not enough: every call ends with a lock or an error that says so', async (t) => {
    const { outcomes } = await run(t, 'few')
    assert.ok(outcomes.length >= 25)
    for (const outcome of outcomes) {
      if (outcome.held) continue
      isUnavailable(outcome)
    }
    works(outcomes.at(-1))
  })
})
