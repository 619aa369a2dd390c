'use strict'

// An even number of nodes can split 1:1 or 2:2. Then neither a quorum for nor one against exists; a client that waits
// for either waits for ever. The split has to be settled as "no quorum is reachable any more".

const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { useCluster } = require('../support/cluster')
const { peers, ioredis, showsDefect } = require('../support/peers')
const { open, uniqueKey, LockContendedError } = require('../support/quorlock')
const { stateAfter, until, within } = require('../support/until')

describe('an even number of nodes, split', { concurrency: true }, () => {
  const cluster = useCluster(4)

  /** Somebody else holds half of these servers. */
  async function split(servers) {
    const key = uniqueKey('split')
    for (const server of servers.slice(servers.length / 2)) await server.command('SET', key, 'foreign', 'PX', 60_000)
    return key
  }

  for (const count of [2, 4]) {
    for (const peer of [peers.redlock5, peers.sesamecare]) {
      test(`${peer.name} pends for ever on ${count} nodes`, async (t) => {
        const servers = cluster.servers.slice(0, count)
        const key = await split(servers)
        const redlock = new peer.Redlock(
          await ioredis(
            t,
            servers.map((server) => server.url),
          ),
          { retryCount: 0 },
        )
        const state = await stateAfter(2000, redlock.acquire([key], 5000))
        showsDefect(t, peer, {
          fails: state === 'pending',
          seen: `acquire with retryCount 0 is ${state} after 2,000 ms`,
        })
      })
    }

    test(`quorlock settles the split of ${count} nodes at once and keeps nothing`, async (t) => {
      const servers = cluster.servers.slice(0, count)
      const key = await split(servers)
      const redlock = open(
        t,
        servers.map((server) => server.url),
      )
      assert.equal(await within(10_000, redlock.tryAcquire(key, 5000)), null)
      const error = await within(
        10_000,
        redlock.acquire(key, 5000, { wait: 0 }).catch((reason) => reason),
      )
      assert.ok(error instanceof LockContendedError, String(error))
      // Settled as soon as no quorum is possible: a node that has not answered by then is not waited for.
      const votes = error.votes.map((vote) => vote.vote)
      assert.ok(votes.filter((vote) => vote === 'refused').length > 0, String(votes))
      assert.ok(votes.filter((vote) => vote === 'granted').length <= count / 2, String(votes))
      assert.ok(!votes.includes('faulted'), String(votes))
      await until(async () => {
        const values = await Promise.all(servers.map((server) => server.command('GET', key)))
        return values.filter((value) => value !== null && value !== 'foreign').length === 0
      })
    })
  }
})
