'use strict'

// A short ttl must not turn the renewal into a loop without a pause.

const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const path = require('node:path')
const { useCluster } = require('../support/cluster')
const { Child } = require('../support/child')
const { peers, ioredis, universalAdapters, showsDefect } = require('../support/peers')
const { connected, open, uniqueKey } = require('../support/quorlock')
const { sleep } = require('../support/until')

const HOLD = 1000

describe('renewal of short locks', () => {
  const cluster = useCluster(1)

  /** Scripts node 0 executed while `hold` ran. */
  async function renewals(hold) {
    const [server] = cluster.servers
    const count = () => server.calls('eval', 'evalsha')
    const before = await count()
    await hold()
    return (await count()) - before
  }

  for (const ttl of [500, 1000]) {
    test(`redlock-universal extends a lock of ${ttl} ms without a pause`, async (t) => {
      const { createLock } = peers.universal.api
      const [adapter] = universalAdapters(await ioredis(t, cluster.urls))
      const lock = createLock({ adapter, key: uniqueKey(), ttl })
      const count = await renewals(() => lock.using(() => sleep(HOLD)))
      showsDefect(t, peers.universal, { fails: count > 100, seen: `ttl ${ttl}: ${count} extend calls in ${HOLD} ms` })
    })
  }

  test('redlock-universal over memory freezes the process', async (t) => {
    const child = new Child(path.join(__dirname, 'fixtures', 'universal-memory.js'))
    t.after(() => child.stop())
    await child.message((message) => message === 'holding')
    const ticks = await child
      .message((message) => message === 'tick', 2000)
      .then(
        () => 'ticks',
        () => 'no timer ran for 2,000 ms',
      )
    showsDefect(t, peers.universal, { fails: ticks !== 'ticks', seen: `ttl 1,000 over MemoryAdapter: ${ticks}` })
  })

  for (const ttl of [250, 500, 1000]) {
    test(`quorlock renews a lock of ${ttl} ms a few times per ttl`, async (t) => {
      const redlock = await connected(t, cluster.urls)
      let held
      const count = await renewals(() =>
        redlock.withLock(uniqueKey(), ttl, async (lock) => {
          await sleep(HOLD)
          held = lock.isHeld
        }),
      )
      // One third of the validity apart, and jittered: four per ttl is generous. One more for the release.
      const limit = Math.ceil((HOLD / ttl) * 6) + 3
      assert.ok(count <= limit, `${count} scripts in ${HOLD} ms, at most ${limit} expected`)
      assert.equal(held, true)
    })
  }

  test('quorlock over memory leaves the event loop alone', async (t) => {
    const redlock = open(t, 'memory')
    let ticks = 0
    await redlock.withLock(uniqueKey(), 250, async (lock) => {
      const timer = setInterval(() => {
        ticks += 1
      }, 10)
      await sleep(500)
      clearInterval(timer)
      assert.equal(lock.isHeld, true)
    })
    assert.ok(ticks >= 10, `${ticks} timers ran`)
  })
})
