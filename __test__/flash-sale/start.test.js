'use strict'

// A process that starts while another makes the tables waits for it, however long that takes.

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { until } = require('../support/until')
const { load, requireDependency, useShop } = require('./shop')

const LIMIT = { deadline: 120_000, every: 100 }
/** Longer than a statement of the service may take, and longer than its connections may be silent. */
const LONG_S = 10
const env = { NODE_ENV: 'test' }
const shop = useShop({ processes: 1, env })

test('the tables take longer to be made than a statement of the service may', async (t) => {
  const other = new (requireDependency('pg').Client)({ connectionString: shop.env.DATABASE_URL })
  await other.connect()
  let isOpen = true
  const end = async () => {
    if (isOpen) await other.end()
    isOpen = false
  }
  t.after(end)
  await other.query('SELECT pg_advisory_lock(7170013)')

  const application = new (await load('application.mjs')).Application({ ...shop.env, ...env })
  t.after(() => application.close())
  let state = 'starting'
  const started = application.start().then(
    () => {
      state = 'started'
    },
    (error) => {
      state = error.message
    },
  )
  await until(async () => {
    const waiting = `SELECT 1 FROM pg_stat_activity
      WHERE wait_event = 'advisory' AND query_start < now() - make_interval(secs => $1)`
    return state !== 'starting' || (await shop.sql(waiting, [LONG_S])).length > 0
  }, LIMIT)
  assert.equal(state, 'starting')
  await end()
  await started
  assert.equal(state, 'started')
})
