'use strict'

// Calls that overlap on one lock, with the real client. It warns once for each process, so this file is one of its own.

const assert = require('node:assert/strict')
const { setImmediate: turn } = require('node:timers/promises')
const { test } = require('node:test')
const { openProvider, usePostgres } = require('./postgres')
const { uniqueKey } = require('../support/quorlock')

const pg = usePostgres()

test('pg is never given a statement while it is at another one of the same lock', async (t) => {
  const warned = []
  const hear = ({ name, message }) => warned.push(`${name}: ${message}`)
  process.on('warning', hear)
  t.after(() => process.off('warning', hear))
  const { provider, pool } = openProvider(t, pg.url)
  let atWork = 0
  let most = 0
  pool.on('connect', (client) => {
    const query = client.query.bind(client)
    client.query = (...args) => {
      atWork += 1
      most = Math.max(most, atWork)
      return query(...args).finally(() => {
        atWork -= 1
      })
    }
  })
  const lock = await provider.acquire(uniqueKey(), 20_000)
  const extensions = Array.from({ length: 5 }, () => lock.extend(20_000))
  const released = lock.release()
  await Promise.allSettled(extensions)
  assert.equal(await released, 'released')
  await turn()
  assert.equal(most, 1)
  assert.deepEqual(warned, [])
})
