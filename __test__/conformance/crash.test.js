'use strict'

// A lost lock or a failing renewal is news for the holder, never the end of the process.

const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const path = require('node:path')
const { useCluster } = require('../support/cluster')
const { Child } = require('../support/child')
const { peers, showsDefect } = require('../support/peers')
const { uniqueKey } = require('../support/quorlock')

const fixture = (name) => path.join(__dirname, 'fixtures', name)

describe('what a lost lock does to the process', { concurrency: true }, () => {
  const cluster = useCluster(1)

  /** Runs a fixture that takes `key` and says 'held', takes the lock away as `how` says, and waits for the end. */
  async function lose(t, script, how) {
    const key = uniqueKey(how)
    const child = new Child(script, { args: [cluster.urls[0], key, how] })
    t.after(() => child.stop())
    const { redisKey } = await child.message((message) => message.redisKey)
    const [server] = cluster.servers
    // In one step, so that no renewal falls between the two commands. A list makes every script on the key fail.
    if (how === 'deleted') await server.command('DEL', redisKey)
    else await server.command('EVAL', "redis.call('DEL', KEYS[1]) redis.call('LPUSH', KEYS[1], 'x')", 1, redisKey)
    return child.ended
  }

  test('redis-semaphore: a lost lock kills the process', async (t) => {
    const { code, stderr } = await lose(t, fixture('semaphore-holder.js'), 'deleted')
    const reason = stderr.match(/Lost mutex for key[^\n]*/)?.[0]
    showsDefect(t, peers.semaphore, { fails: code !== 0 && reason !== undefined, seen: `exit code ${code}, ${reason}` })
  })

  test('redis-semaphore: a failing refresh kills the process, also with a callback of its own', async (t) => {
    const { code, stderr } = await lose(t, fixture('semaphore-holder.js'), 'wrong type')
    const reason = stderr.match(/WRONGTYPE[^\n]*/)?.[0]
    showsDefect(t, peers.semaphore, { fails: code !== 0 && reason !== undefined, seen: `exit code ${code}, ${reason}` })
  })

  for (const how of ['deleted', 'wrong type']) {
    test(`quorlock: the process goes on (${how})`, async (t) => {
      const { code, stdout, stderr } = await lose(t, fixture('quorlock-holder.js'), how)
      assert.equal(stderr, '')
      assert.equal(stdout, 'lost\n')
      assert.equal(code, 0)
    })
  }
})
