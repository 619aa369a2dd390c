'use strict'

// Very many calls: a thousand that want one key, ten thousand keys. The nodes are asked by one contender for each process
// and key, everybody has their turn, and what it took is given back.

const path = require('node:path')
const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { Child } = require('../support/child')
const { useCluster } = require('../support/cluster')
const { connected, elsewhere, uniqueKey } = require('../support/quorlock')
const { sleep, until, within } = require('../support/until')

describe('a crowd', () => {
  const cluster = useCluster(3)

  test('a thousand calls wait for one key that another process holds: one asks for all of them', async (t) => {
    const holding = await connected(t, cluster.urls)
    const redlock = await connected(t, cluster.urls, elsewhere)
    const key = uniqueKey()
    const holder = await holding.acquire(key, 60_000)
    const [server] = cluster.servers
    const asked = () => server.calls('set')
    const before = await asked()
    let [inside, most, done] = [0, 0, 0]
    const waiting = Array.from({ length: 1000 }, () =>
      redlock.withLock(
        key,
        60_000,
        async () => {
          inside += 1
          most = Math.max(most, inside)
          await Promise.resolve()
          inside -= 1
          done += 1
        },
        { wait: 120_000, retryDelay: 50, retryDelayMax: 50 },
      ),
    )
    await until(() => redlock.stats().waiting === 1000)
    const start = performance.now()
    await sleep(1000)
    // One contender, whose delays are drawn from 25 to 50 ms. A thousand would have asked twenty thousand times.
    const rounds = (performance.now() - start) / 25 + 10
    const rate = (await asked()) - before
    assert.ok(rate <= rounds, `asked ${rate} times, in at most ${rounds} rounds`)
    assert.equal(await holder.release(), 'released')
    await within(60_000, Promise.all(waiting), 'everybody')
    assert.deepEqual({ most, done }, { most: 1, done: 1000 })
    // Handed over within the process: again not a thousand times.
    const all = (await asked()) - before
    assert.ok(all < 1000 / 5, `asked ${all} times in all`)
    assert.equal(redlock.stats().waiting, 0)
    await until(async () => (await cluster.holding(key)) === 0)
  })

  test('ten thousand keys again and again: memory comes back to where it was', async (t) => {
    const script = path.join(__dirname, 'fixtures', 'crowd.js')
    const child = new Child(script, { args: cluster.urls, execArgv: ['--expose-gc', '--max-semi-space-size=1'] })
    t.after(() => child.stop())
    const { code, stderr } = await within(120_000, child.ended, 'the process')
    assert.equal(stderr, '')
    assert.equal(code, 0)
    const { rounds } = await child.message()
    t.diagnostic(rounds.map(({ heap, rss }) => `${heap.toFixed(1)} MB heap, ${rss.toFixed(0)} MB resident`).join('; '))
    const [warm, ...later] = rounds.slice(1)
    for (const { heap, rss } of later) {
      assert.ok(heap - warm.heap < 8, `heap: ${heap} MB after ${warm.heap}`)
      assert.ok(rss - warm.rss < 48, `resident: ${rss} MB after ${warm.rss}`)
    }
    for (const size of await cluster.all('DBSIZE')) assert.equal(size, 0)
  })
})
