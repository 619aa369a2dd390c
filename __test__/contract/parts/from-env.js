'use strict'

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { open, uniqueKey, Redlock } = require('../../support/quorlock')

module.exports = (backend) => {
  const urls = () => [backend.nodes].flat()

  async function isSameLock(t, redlock) {
    t.after(() => redlock.close({ timeout: 0 }))
    const key = uniqueKey()
    const lock = await redlock.acquire(key, 5000)
    assert.equal(await open(t, backend.nodes).tryAcquire(key, 5000), null)
    assert.equal(await lock.release(), 'released')
  }

  test('QUORLOCK_NODES', async (t) => {
    await isSameLock(t, Redlock.fromEnv({ QUORLOCK_NODES: urls().join(',') }))
    await isSameLock(t, Redlock.fromEnv({ QUORLOCK_NODES: ` ${urls().join(' , ')} ` }))
  })

  test('overrides', async (t) => {
    const redlock = Redlock.fromEnv({ QUORLOCK_NODES: urls().join(',') }, { keyPrefix: 'env:' })
    t.after(() => redlock.close({ timeout: 0 }))
    const key = uniqueKey()
    await redlock.acquire(key, 5000)
    assert.equal(await open(t, backend.nodes).tryAcquire(`env:${key}`, 5000), null)
  })

  test('nothing set is an error that says what to set', () => {
    assert.throws(
      () => Redlock.fromEnv({}),
      (error) => {
        assert.ok(error instanceof TypeError)
        assert.match(error.message, /QUORLOCK_NODES/)
        assert.match(error.message, /REDIS_NODE1_HOST/)
        return true
      },
    )
  })

  if (!backend.servers) return

  test('REDIS_NODE1_HOST and so on', async (t) => {
    const env = {}
    for (const [i, server] of backend.servers.entries()) {
      env[`REDIS_NODE${i + 1}_HOST`] = '127.0.0.1'
      env[`REDIS_NODE${i + 1}_PORT`] = String(server.port)
    }
    await isSameLock(t, Redlock.fromEnv(env))
  })
}
