'use strict'

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { until } = require('../support/until')
const { load, recipe, requireClient } = require('./recipe')

recipe('mariadb', async () => (await load('servers/mariadb.mjs')).startMariadb(), more)

function more(use) {
  /** A later holder whose claim is not committed yet, and an earlier one who writes meanwhile and has to wait. */
  async function collide(t, id) {
    const later = await requireClient('mysql2/promise').createConnection(use.url)
    t.after(() => later.end())
    await later.beginTransaction()
    await later.execute('UPDATE fenced_items SET fence = 11 WHERE id = ? AND fence <= 11', [id])
    const write = use.store.fenced.write({ id, value: 1 }, 10)
    write.catch(() => {})
    const waiting = "SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'"
    await until(async () => (await later.query(waiting))[0][0].Value === '1', { what: 'the write waits for the row' })
    return { later, write }
  }

  test('a write that has to wait for a later holder is refused once that one has committed', async (t) => {
    const id = await use.item()
    const { later, write } = await collide(t, id)
    await later.commit()
    await assert.rejects(write, use.stale(id, 10, 11))
    assert.equal((await use.store.unfenced.read(id)).value, 100)
  })

  test('and goes through when that one has gone back', async (t) => {
    const id = await use.item()
    const { later, write } = await collide(t, id)
    await later.rollback()
    await write
    assert.equal((await use.store.unfenced.read(id)).value, 1)
  })
}
