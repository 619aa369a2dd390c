'use strict'

// Processes that hardly get any CPU, while others want all of it: locks may be lost, but nobody believes that it holds one
// that it does not, and no two hold one. How much was left of each lock at the worst moment is reported.

const fs = require('node:fs')
const os = require('node:os')
const { test } = require('node:test')
const assert = require('node:assert/strict')
const { Cluster } = require('../support/cluster')
const { Contenders } = require('../support/contenders')
const { burn, quota } = require('../support/cpu')

const TTL = 1000
const ENOUGH = { count: 40, together: true, deadline: 240_000 }

async function setUp(t) {
  const cluster = await Cluster.start(3)
  t.after(() => cluster.stop())
  const contenders = await Contenders.start(t, cluster.urls, {
    ttl: TTL,
    ms: 60,
    options: { fencing: true, nodeTimeout: TTL / 4 },
  })
  return contenders
}

async function isSound(t, contenders) {
  const { holds, faults, outcomes } = await contenders.end()
  const [lost, margin] = [
    outcomes.reduce((sum, outcome) => sum + outcome.lost, 0),
    Math.min(...outcomes.map((outcome) => outcome.margin)),
  ]
  const errors = JSON.stringify(outcomes.map((outcome) => outcome.errors))
  t.diagnostic(`${holds.length} holds, ${lost} lost, at least ${margin.toFixed(0)} of ${TTL} ms left, errors ${errors}`)
  assert.deepEqual(faults, [])
}

test('at the lowest priority, while everybody else computes', async (t) => {
  const contenders = await setUp(t)
  for (const pid of contenders.pids) {
    // Each thread has a priority of its own: those that exist by now, too.
    for (const thread of fs.readdirSync(`/proc/${pid}/task`)) os.setPriority(Number(thread), 19)
  }
  burn(t)
  await contenders.getOn('hardly', ENOUGH)
  await isSound(t, contenders)
})

for (const share of [0.1, 0.03]) {
  test(`with ${share * 100} % of a CPU for all of them (cgroup)`, async (t) => {
    const contenders = await setUp(t)
    if (!quota(t, contenders.pids, share))
      return t.skip('no cgroup can be made here: the lowest priority stands for it')
    await contenders.getOn('hardly', ENOUGH)
    await isSound(t, contenders)
  })
}
