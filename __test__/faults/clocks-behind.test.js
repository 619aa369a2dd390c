'use strict'

// Wall clocks of nodes that are set back, with fencing. Two of three: the tokens that were given before lie ahead of their
// time. One: it votes for nobody, which nobody may notice, though it answers first and others move the tokens on.

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { withoutClock } = require('../support/clock-shim')
const { clockedServers } = require('../support/clocked')
const { TcpProxy } = require('../support/proxy')
const { allUp, uniqueKey } = require('../support/quorlock')
const { sleep } = require('../support/until')

for (const seconds of [6, 60, 7200]) {
  test(`one of three is ${seconds} s behind: a free key is granted in one round`, {
    skip: withoutClock(),
  }, async (t) => {
    const { clocks, cluster } = await clockedServers(t)
    clocks[0].step(-seconds * 1000)
    const proxies = await Promise.all(cluster.servers.map(({ port }) => TcpProxy.start(port)))
    t.after(() => Promise.all(proxies.map((proxy) => proxy.stop())))
    proxies[1].toClient.delay(5)
    proxies[2].toClient.delay(40)
    const nodes = proxies.map(({ url }) => url)
    const redlock = await allUp(t, nodes, { fencing: true, retryCount: 0, nodeTimeout: 1000 })
    for (let i = 0; i < 5; i += 1) {
      const key = uniqueKey()
      // Of a holder whose clock is a little ahead.
      const fence = String((Date.now() + 200) * 1000)
      for (const server of cluster.servers.slice(1)) await server.command('SET', `${key}:quorlock:fence`, fence)
      const lock = await redlock.acquire(key, 10_000)
      assert.ok(lock.token > Number(fence))
      assert.equal(await lock.release(), 'released')
    }
    const lock = await redlock.acquire(uniqueKey(), 10_000)
    assert.ok(Math.abs(lock.token / 1000 - Date.now()) < 5000, 'it knows the time')
    await lock.release()
  })
}

for (const [what, ms] of [
  ['twenty seconds', 20_000],
  ['a minute', 60_000],
]) {
  test(`set back by ${what}: what was locked before can be locked again`, { skip: withoutClock() }, async (t) => {
    const { clocks, cluster } = await clockedServers(t)
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
