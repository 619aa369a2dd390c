'use strict'

// A Postgres for the tests of a file, and pools of connections to it, with the programs and the client of
// examples/fenced-stores.

const { before, after } = require('node:test')
const { load, requireClient } = require('../recipes/recipe')
const { PostgresLockProvider } = require('../../postgres')

const { Pool, Client } = requireClient('pg')

async function startPostgres() {
  const { startPostgres: start } = await load('servers/postgres.mjs')
  return start()
}

/** `{ url }`, once the tests run. */
function usePostgres() {
  const server = { url: undefined }
  let started
  before(async () => {
    started = await startPostgres()
    server.url = started.url
  })
  after(() => started?.stop())
  return server
}

/** A pool that is ended after test `t`. What its idle connections say is nothing to a test. */
function openPool(t, url, options = {}) {
  const pool = makePool(url, options)
  t.after(() => pool.end())
  return pool
}

function makePool(url, options) {
  const pool = new Pool({ connectionString: url, max: 10, ...options })
  pool.on('error', () => {})
  return pool
}

/** A provider over a pool of its own, closed before that ends; `pool` beside it. */
function openProvider(t, url, options = {}, poolOptions = {}) {
  const pool = makePool(url, poolOptions)
  const provider = new PostgresLockProvider({ pool, ...options })
  t.after(async () => {
    await provider.close({ timeout: 0 })
    await pool.end()
  })
  return { provider, pool }
}

/** Advisory locks that anybody has in this database. */
async function advisoryLocks(pool) {
  const { rows } = await pool.query("SELECT count(*)::int AS n FROM pg_locks WHERE locktype = 'advisory' AND granted")
  return rows[0].n
}

module.exports = {
  startPostgres,
  usePostgres,
  openPool,
  openProvider,
  advisoryLocks,
  Pool,
  Client,
  PostgresLockProvider,
}
