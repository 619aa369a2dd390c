'use strict'

// Wall clocks of two nodes that are set back, with fencing: the tokens that were given before lie ahead of their time.

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { Clock, withoutClock } = require('../support/clock-shim')
const { Cluster } = require('../support/cluster')
const { RedisServer } = require('../support/redis-server')
const { allUp, uniqueKey } = require('../support/quorlock')
const { sleep } = require('../support/until')

for (const [what, ms] of [
  ['twenty seconds', 20_000],
  ['a minute', 60_000],
]) {
  test(`set back by ${what}: what was locked before can be locked again`, { skip: withoutClock() }, async (t) => {
    const clocks = [new Clock(), new Clock(), new Clock()]
    const cluster = new Cluster(await Promise.all(clocks.map(({ env }) => RedisServer.start({ env }))))
    t.after(async () => {
      await cluster.stop()
      for (const clock of clocks) clock.stop()
    })
    const redlock = await allUp(t, cluster.urls, { fencing: true })
    const key = uniqueKey()
    const before = await redlock.acquire(key, 5000)
    assert.equal(await before.release(), 'released')
    // A proposal may lie a second beyond a node's fence, whatever the node's clock says.
    await sleep(1500)
    for (const clock of clocks.slice(1)) clock.step(-ms)
    const lock = await redlock.acquire(key, 5000, { wait: 3000 })
    assert.ok(lock.token > before.token)
    assert.equal(await lock.release(), 'released')
  })
}
