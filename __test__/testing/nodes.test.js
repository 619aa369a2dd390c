'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { QuorumUnavailableError } = require('../..')
const { open, outcome } = require('./support/open')

const states = (redlock) => redlock.stats().nodes.map(({ name, state }) => `${name} ${state}`)

for (const [nodes, borne] of [
  [1, 0],
  [3, 1],
  [5, 2],
]) {
  test(`${nodes} nodes bear that ${borne} are down`, async (t) => {
    const redlock = open(t, { nodes, wait: 0 })
    assert.equal(redlock.stats().nodes.length, nodes)
    await redlock.failNodes(borne)
    const lock = await redlock.acquire('key', 1000)
    assert.equal(lock.votes.filter(({ vote }) => vote === 'granted').length, nodes - borne)
    assert.equal(await lock.release(), 'released')
    await redlock.failNodes(borne + 1)
    await assert.rejects(redlock.acquire('key', 1000), (error) => {
      assert.ok(error instanceof QuorumUnavailableError)
      // Once no quorum is possible, the others are not waited for.
      const down = error.votes.map(({ node, code }) => `${node} ${code}`)
      assert.deepEqual(
        down,
        Array.from({ length: borne + 1 }, (_, i) => `node-${i} CONNECT`),
      )
      return true
    })
  })
}

test('each change of a node is told once', async (t) => {
  const redlock = open(t)
  await redlock.settled()
  const told = []
  redlock.on('nodeDown', ({ node, error }) => told.push(`${node} down ${error.code}`))
  redlock.on('nodeUp', ({ node }) => told.push(`${node} up`))
  await redlock.failNodes(2)
  await redlock.failNodes(2)
  assert.deepEqual(states(redlock), ['node-0 down', 'node-1 down', 'node-2 up'])
  await redlock.failNodes(1)
  await redlock.failNodes(0)
  assert.deepEqual(told, ['node-0 down CONNECT', 'node-1 down CONNECT', 'node-1 up', 'node-0 up'])
})

test('without a quorum a lock that is renewed is lost, though not at once', async (t) => {
  const redlock = open(t)
  const lock = await redlock.acquire('key', 1000, { renew: true })
  const { signal } = lock
  await redlock.failNodes(2)
  assert.equal(lock.isHeld, true)
  await redlock.advance(1000)
  assert.equal(signal.reason.reason, 'expired')
})

test('nodes that come back in time save it', async (t) => {
  const redlock = open(t)
  const lock = await redlock.acquire('key', 1000, { renew: true })
  await redlock.failNodes(2)
  await redlock.advance(800)
  await redlock.failNodes(0)
  await redlock.advance(5000)
  assert.equal(lock.isHeld, true)
})

test('who waits for a quorum has the lock when the nodes are back', async (t) => {
  const redlock = open(t)
  await redlock.failNodes(2)
  const waiting = outcome(redlock.acquire('key', 1000, { wait: 5000 }))
  await redlock.advance(1000)
  assert.equal(waiting.state, 'pending')
  await redlock.failNodes(0)
  assert.equal(waiting.state, 'resolved')
})

test('a lock whose holder reaches no quorum is lost when its validity ends', async (t) => {
  const redlock = open(t)
  const lock = await redlock.acquire('key', 1000)
  await redlock.failNodes(2)
  await redlock.loseLock('key')
  assert.equal(lock.isHeld, true)
  await redlock.advance(1000)
  assert.equal(lock.signal.reason.reason, 'expired')
})

test('a node that restarts has lost its keys and does not vote for a while; renewal brings them back', async (t) => {
  const redlock = open(t, { maxTtl: 10_000 })
  const lock = await redlock.acquire('key', 1000, { renew: true })
  await redlock.restartNode(1)
  assert.deepEqual(states(redlock), ['node-0 up', 'node-1 quarantined', 'node-2 up'])
  assert.equal((await redlock.inspect('key'))[1].held, false)
  await redlock.advance(1000)
  assert.equal((await redlock.inspect('key'))[1].held, true)
  await redlock.advance(11_000)
  assert.deepEqual(states(redlock), ['node-0 up', 'node-1 up', 'node-2 up'])
  await redlock.restartNode(0)
  await redlock.advance(1000)
  assert.equal(lock.isHeld, true)
})

test('without a guard two restarts lose a lock', async (t) => {
  const redlock = open(t, { restartGuard: false })
  const lock = await redlock.acquire('key', 1000, { renew: true })
  await redlock.restartNode(0)
  await redlock.restartNode(1)
  await redlock.advance(400)
  assert.equal(lock.signal.reason.reason, 'gone')
})
