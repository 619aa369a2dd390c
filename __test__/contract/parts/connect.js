'use strict'

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { open, uniqueKey } = require('../../support/quorlock')
const { timed } = require('../../support/until')

module.exports = (backend) => {
  test('resolves with nothing when a quorum answers, as often as it is asked', async (t) => {
    const redlock = open(t, backend.nodes)
    assert.deepEqual(await Promise.all([redlock.connect(), redlock.connect({ timeout: 5000 })]), [undefined, undefined])
    const up = redlock.stats().nodes.filter((node) => node.state === 'up')
    assert.ok(up.length > backend.count / 2)
    assert.equal(await redlock.connect(), undefined)
  })

  test('is not needed: every call connects by itself', async (t) => {
    const key = uniqueKey()
    const lock = await open(t, backend.nodes).acquire(key, 5000, { wait: 0 })
    assert.equal(await open(t, backend.nodes).tryAcquire(key, 5000), null)
    assert.equal(await open(t, backend.nodes).withLock(uniqueKey(), 5000, () => 1, { wait: 0 }), 1)
    assert.ok((await open(t, backend.nodes).inspect(key)).some((node) => node.id === lock.id))
  })

  for (const options of [{ timeout: -1 }, { timeout: '5' }, { timeouts: 5 }, { signal: {} }, 5]) {
    test(`${JSON.stringify(options)} is refused`, async (t) => {
      const { error } = await timed(() => open(t, backend.nodes).connect(options))
      assert.ok(error instanceof TypeError || error instanceof RangeError, String(error))
    })
  }
}
