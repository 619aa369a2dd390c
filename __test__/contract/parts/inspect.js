'use strict'

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { allUp, open, uniqueKey } = require('../../support/quorlock')
const { until } = require('../../support/until')

module.exports = (backend) => {
  test('a free key', async (t) => {
    const redlock = open(t, backend.nodes)
    const nodes = await redlock.inspect(uniqueKey())
    assert.equal(nodes.length, backend.count)
    for (const node of nodes) {
      assert.equal(node.held, false)
      assert.equal(node.id, undefined)
      assert.equal(node.error, undefined)
    }
    assert.deepEqual(
      nodes.map((node) => node.node),
      redlock.stats().nodes.map((node) => node.name),
    )
  })

  test('a held key, also when another instance holds it', async (t) => {
    const redlock = await allUp(t, backend.nodes)
    const other = await allUp(t, backend.nodes)
    const key = uniqueKey()
    const lock = await redlock.acquire(key, 5000)
    for (const asked of [redlock, other]) {
      // The last node may still be on its way to a grant that was decided without it.
      await until(async () => (await asked.inspect(key)).every((node) => node.held))
      for (const node of await asked.inspect(key)) {
        assert.equal(node.id, lock.id)
        assert.ok(node.remaining > 3000 && node.remaining <= 5000, String(node.remaining))
      }
    }
  })

  test('asking changes nothing', async (t) => {
    const redlock = open(t, backend.nodes)
    const key = uniqueKey()
    const lock = await redlock.acquire(key, 5000)
    await Promise.all(Array.from({ length: 20 }, () => redlock.inspect(key)))
    assert.equal(lock.isHeld, true)
    assert.equal(await lock.release(), 'released')
  })

  for (const key of ['', 7, 'a'.repeat(513)]) {
    test(`${JSON.stringify(key).slice(0, 12)} is refused`, async (t) => {
      const redlock = open(t, backend.nodes)
      await assert.rejects(
        async () => redlock.inspect(key),
        (error) => error instanceof TypeError || error instanceof RangeError,
      )
    })
  }
}
