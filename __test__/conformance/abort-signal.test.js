'use strict'

// The holder must hear of a lost lock no later than the moment at which another may take it: also when the nodes
// refuse, and also when they hang and nothing ever answers.

const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { useCluster, proxies, urlsOf } = require('../support/cluster')
const { peers, ioredis, showsDefect } = require('../support/peers')
const { connected, uniqueKey, LockLostError } = require('../support/quorlock')
const { until, within } = require('../support/until')

const TTL = 1000
const faults = {
  refusing: (nodes) => Promise.all(nodes.map((node) => node.refuse())),
  hanging: async (nodes) => {
    for (const node of nodes) node.halfOpen()
  },
}

describe('the signal of a lost lock', { concurrency: true }, () => {
  const cluster = useCluster(3)

  /** How long after the end of the lock (in ms) a peer's signal fires; Infinity when it does not within 2 s. */
  async function lateness(t, peer, fault) {
    const nodes = await proxies(t, cluster)
    const clients = await ioredis(t, urlsOf(nodes), { enableOfflineQueue: false })
    const redlock = new peer.Redlock(clients)
    return new Promise((resolve) => {
      redlock
        .using([uniqueKey()], TTL, { automaticExtensionThreshold: 500 }, async (signal) => {
          const end = performance.now() + TTL
          signal.addEventListener('abort', () => resolve(performance.now() - end), { once: true })
          await fault(nodes)
          await until(() => signal.aborted || performance.now() > end + 2000, { deadline: 20_000 })
          resolve(Number.POSITIVE_INFINITY)
          // Its release of the lost lock would go on retrying for seconds after the measurement.
          redlock.settings = { ...redlock.settings, retryCount: 0 }
        })
        .catch(() => {})
    })
  }

  for (const peer of [peers.redlock5, peers.sesamecare]) {
    test(`${peer.name} is late when the nodes refuse`, async (t) => {
      const late = await lateness(t, peer, faults.refusing)
      showsDefect(t, peer, { fails: late > 300, seen: `aborted ${Math.round(late)} ms after the lock had ended` })
    })

    test(`${peer.name} never aborts when the nodes hang`, async (t) => {
      const late = await lateness(t, peer, faults.hanging)
      const seen =
        late === Number.POSITIVE_INFINITY ? 'not aborted 2,000 ms after the lock had ended' : `${late} ms late`
      showsDefect(t, peer, { fails: late === Number.POSITIVE_INFINITY, seen })
    })
  }

  for (const [name, fault] of Object.entries(faults)) {
    test(`quorlock aborts by the end of the lock when the nodes are ${name}`, async (t) => {
      const nodes = await proxies(t, cluster)
      const redlock = await connected(t, urlsOf(nodes))
      const lost = []
      redlock.on('lost', (event) => lost.push(event))
      const key = uniqueKey()
      const asked = performance.now()
      await redlock.withLock(key, TTL, async (lock) => {
        const { signal } = lock
        const fired = new Promise((resolve) => signal.addEventListener('abort', () => resolve(performance.now())))
        await fault(nodes)
        const at = await within(TTL * 10, fired, 'the signal')
        // Half a second for a busy machine, and for a renewal just before the fault bit.
        assert.ok(at - asked < TTL + 1000, `aborted ${at - asked} ms after asking for ${TTL} ms`)
        assert.ok(signal.reason instanceof LockLostError, String(signal.reason))
        assert.equal(lock.isHeld, false)
        assert.equal(lock.remaining, 0)
      })
      assert.deepEqual(
        lost.map((event) => event.key),
        [key],
      )
    })
  }
})
