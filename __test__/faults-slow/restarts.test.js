'use strict'

// Servers that restart and have forgotten everything, or the end of it, under several processes that take one lock in
// turn: one after the other, two together, all together. Whoever was told that it holds the lock was the only one.

const fs = require('node:fs')
const path = require('node:path')
const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { Cluster } = require('../support/cluster')
const { Contenders } = require('../support/contenders')
const { allUp } = require('../support/quorlock')
const { sleep, until } = require('../support/until')

const MAX_TTL = 1000
/** Longer than a restart takes: whoever holds the lock then still does when the servers are back. */
const SECTION = 400
/** Sections of anybody: who of them is nobody's concern here. */
const SOME = { count: 4, together: true }
/** `maxTtl`, its drift, and the second that uptimes are short of; with fencing ten seconds more. */
const quarantine = (fencing) => MAX_TTL + 12 + 1000 + (fencing ? 10_000 : 0)

const restart = {
  'has forgotten everything': { how: (server) => server.restart() },
  'has lost the tail of its append-only file': {
    server: { appendonly: true },
    async how(server, key) {
      await server.kill()
      const folder = path.join(server.dir, 'appendonlydir')
      const isFolder = fs.existsSync(folder)
      const name = isFolder ? fs.readdirSync(folder).find((file) => file.endsWith('.incr.aof')) : 'appendonly.aof'
      const file = path.join(isFolder ? folder : server.dir, name)
      // From within the command by which the key came to its present holder: with tokens much is written after that.
      const at = fs.readFileSync(file, 'latin1').lastIndexOf(`${key}\r\n$32\r\n`)
      assert.ok(at > 0)
      fs.truncateSync(file, at + 5)
      await server.launch()
    },
  },
}

async function setUp(t, serverOptions, fencing) {
  const cluster = await Cluster.start(3, serverOptions)
  t.after(() => cluster.stop())
  const options = { maxTtl: MAX_TTL, defaultTtl: MAX_TTL, fencing }
  const contenders = await Contenders.start(t, cluster.urls, { ttl: MAX_TTL, ms: SECTION, options })
  // One who only looks: it tells when nodes are in quarantine and when they vote again.
  const watching = await allUp(t, cluster.urls, options)
  const states = (state, count) =>
    until(() => watching.stats().nodes.filter((node) => node.state === state).length === count, {
      deadline: 10 * quarantine(fencing),
      what: `${count} nodes are ${state}`,
    })
  await contenders.getOn('at first', SOME)
  return { cluster, contenders, states }
}

async function isSound(t, contenders) {
  const { holds, faults, outcomes } = await contenders.end()
  const lost = outcomes.reduce((sum, outcome) => sum + outcome.lost, 0)
  t.diagnostic(`${holds.length} holds, ${lost} lost, ${JSON.stringify(outcomes.map(({ errors }) => errors))}`)
  assert.deepEqual(faults, [])
  return outcomes
}

describe('under three processes that want one lock', { concurrency: 2 }, () => {
  for (const [what, { server: serverOptions, how }] of Object.entries(restart)) {
    for (const fencing of [false, true]) {
      const name = `${what}, ${fencing ? 'with' : 'without'} tokens`

      test(`one server after the other ${name}`, async (t) => {
        const { cluster, contenders, states } = await setUp(t, serverOptions, fencing)
        for (const server of cluster.servers) {
          await how(server, contenders.keys[0])
          await states('quarantined', 1)
          await contenders.getOn('while it is in quarantine', SOME)
          await states('up', 3)
          // What was granted before it voted again has expired or been renewed there.
          await sleep(MAX_TTL)
          await contenders.getOn('with it', SOME)
        }
        const outcomes = await isSound(t, contenders)
        for (const { errors } of outcomes) assert.equal(errors.ERR_QUORUM_UNAVAILABLE, undefined)
      })

      test(`two of three servers: each ${name}`, async (t) => {
        const { cluster, contenders, states } = await setUp(t, serverOptions, fencing)
        await Promise.all(cluster.servers.slice(1).map((server) => how(server, contenders.keys[0])))
        await states('quarantined', 2)
        await states('up', 3)
        await contenders.getOn('afterwards', SOME)
        await isSound(t, contenders)
      })

      test(`all servers: each ${name}`, async (t) => {
        const { cluster, contenders, states } = await setUp(t, serverOptions, fencing)
        await Promise.all(cluster.servers.map((server) => how(server, contenders.keys[0])))
        await states('quarantined', 3)
        await states('up', 3)
        await contenders.getOn('afterwards', SOME)
        await isSound(t, contenders)
      })
    }
  }
})
