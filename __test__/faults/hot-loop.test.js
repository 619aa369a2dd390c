'use strict'

// A node that answers with an error, or not at all, is asked once a round and no more, however many calls there are
// and however long they wait; and one that cannot be reached is tried at longer and longer intervals.

const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { setUp } = require('./fault')
const { uniqueKey } = require('../support/quorlock')
const { until } = require('../support/until')

const faults = {
  OOM: { inject: (server) => server.command('CONFIG', 'SET', 'maxmemory', 1), says: /^OOM/, code: 'OOM' },
  // Who says so is asked anew who it is.
  READONLY: {
    inject: (server) => server.command('REPLICAOF', '127.0.0.1', 1),
    says: /only a primary can vote/,
    code: 'NOT_MASTER',
  },
  NOREPLICAS: {
    inject: (server) => server.command('CONFIG', 'SET', 'min-replicas-to-write', 1),
    says: /NOREPLICAS/,
    code: 'READONLY',
  },
  MISCONF: { inject: (server) => server.failSnapshot(), says: /MISCONF/, code: 'READONLY' },
  NOPERM: {
    // What the assertions send must still be allowed: they are of the same user.
    inject: (server) => server.command('ACL', 'SETUSER', 'default', '-set'),
    says: /NOPERM|permission/,
    code: 'NOPERM',
  },
  NOAUTH: {
    async inject(server) {
      await server.command('ACL', 'SETUSER', 'admin', 'on', 'nopass', '~*', '&*', '+@all')
      await server.command('AUTH', 'admin', 'x')
      await server.command('CONFIG', 'SET', 'requirepass', 'secret')
      await server.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    },
    says: /AUTH/,
    code: 'AUTH',
  },
}

const RETRY_DELAY = 50
const SECOND = 1000

describe('errors are no reason to hurry', { concurrency: true }, () => {
  for (const [name, { inject, says, code }] of Object.entries(faults)) {
    test(`${name} at two nodes: one request a round, whoever waits, and a code`, async (t) => {
      const { redlock, nodes } = await setUp(t, { options: { retryDelay: RETRY_DELAY, retryDelayMax: RETRY_DELAY } })
      const faulty = nodes.slice(1)
      await Promise.all(faulty.map(({ server }) => inject(server)))
      const key = uniqueKey()
      let asked = 0
      faulty[0].proxy.toServer.corrupt((chunk) => {
        asked += chunk.toString('latin1').split(key).length - 1
        return chunk
      })
      const waiting = Array.from({ length: 10 }, () => redlock.acquire(key, 5000, { wait: SECOND }))
      const ends = await Promise.allSettled(waiting)
      for (const { reason } of ends) assert.equal(reason?.code, 'ERR_QUORUM_UNAVAILABLE', String(reason))
      const [{ reason }] = ends
      const votes = reason.votes.filter(({ node }) => faulty.some((each) => each.name === node))
      assert.ok(votes.length > 0)
      for (const vote of votes) {
        assert.deepEqual([vote.vote, vote.code], ['faulted', code], reason.message)
        assert.match(vote.message, says)
      }
      // One contends for all of them: an acquire and what gives it back in each round, whose delays are drawn from the
      // upper half. The ten calls whose turn comes at the end may each begin one more.
      t.diagnostic(`${asked} requests`)
      const rounds = SECOND / (RETRY_DELAY / 2) + 10
      assert.ok(asked <= 2 * rounds + 10, `${asked} requests in a second, in at most ${rounds} rounds`)
    })
  }

  test('a node that refuses connections is tried at longer and longer intervals', async (t) => {
    const { redlock, nodes } = await setUp(t)
    const [{ proxy }] = nodes
    // Accepts and hangs up: a refused connection would not be counted.
    proxy.target = 1
    proxy.reset()
    const before = proxy.accepted
    await until(() => redlock.stats().nodes[0].state === 'down')
    const end = performance.now() + 2 * SECOND
    while (performance.now() < end) {
      const lock = await redlock.acquire(uniqueKey(), 5000)
      await lock.release()
    }
    // From 20 ms to 1 s, doubling, each drawn from its upper half: the sixth comes after 310 to 620 ms.
    const tries = proxy.accepted - before
    assert.ok(tries >= 2 && tries <= 12, `${tries} tries in two seconds`)
  })

  test('a lock that cannot be renewed is not renewed in a loop either', async (t) => {
    const { redlock, nodes } = await setUp(t)
    const key = uniqueKey()
    const lock = await redlock.acquire(key, 2000, { renew: true })
    const { signal } = lock
    let asked = 0
    nodes[1].proxy.toServer.corrupt((chunk) => {
      asked += chunk.toString('latin1').split(key).length - 1
      return chunk
    })
    for (const { server } of nodes.slice(1)) await server.command('REPLICAOF', '127.0.0.1', 1)
    await until(() => signal.aborted)
    assert.equal(signal.reason.reason, 'expired')
    assert.ok(asked > 0 && asked < 200, `${asked} requests until it was lost`)
    t.diagnostic(`${asked} requests`)
  })
})
