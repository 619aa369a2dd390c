'use strict'

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { until } = require('../support/until')
const { load, recipe, requireClient } = require('./recipe')

recipe('postgres', async () => (await load('servers/postgres.mjs')).startPostgres(), more)

function more(use) {
  /** A later holder whose claim is not committed yet, and an earlier one who writes meanwhile and has to wait. */
  async function collide(t, id) {
    const later = new (requireClient('pg').Client)(use.url)
    await later.connect()
    t.after(() => later.end())
    await later.query('BEGIN')
    await later.query('UPDATE fenced_items SET fence = 11 WHERE id = $1 AND fence <= 11', [id])
    const write = use.store.fenced.write({ id, value: 1 }, 10)
    write.catch(() => {})
    const waiting = 'SELECT 1 FROM pg_locks WHERE NOT granted'
    await until(async () => (await later.query(waiting)).rowCount > 0, { what: 'the write waits for the row' })
    return { later, write }
  }

  test('a write that has to wait for a later holder is refused once that one has committed', async (t) => {
    const id = await use.item()
    const { later, write } = await collide(t, id)
    await later.query('COMMIT')
    await assert.rejects(write, use.stale(id, 10, 11))
    assert.equal((await use.store.unfenced.read(id)).value, 100)
  })

  test('and goes through when that one has gone back', async (t) => {
    const id = await use.item()
    const { later, write } = await collide(t, id)
    await later.query('ROLLBACK')
    await write
    assert.equal((await use.store.unfenced.read(id)).value, 1)
  })
}
