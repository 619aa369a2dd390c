'use strict'

// The examples of docs/fallbacks.md, run as they stand there.

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { before, describe, test } = require('node:test')
const { nowhere } = require('./away')
const { openPool, usePostgres, Client, PostgresLockProvider } = require('./postgres')
const { Redlock } = require('../support/quorlock')

const text = fs.readFileSync(path.join(__dirname, '..', '..', 'docs', 'fallbacks.md'), 'utf8')
const examples = [...text.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) => code)

describe('the examples of docs/fallbacks.md', () => {
  const pg = usePostgres()
  before(async () => {
    const client = new Client(pg.url)
    await client.connect()
    await client.query('CREATE TABLE products (id int PRIMARY KEY, stock int NOT NULL)')
    await client.end()
  })

  test('there are two, and both are run', () => assert.equal(examples.length, 2))

  examples.forEach((code, i) => {
    test(`example ${i + 1} sells what there is, and not more`, async (t) => {
      const pool = openPool(t, pg.url)
      await pool.query('INSERT INTO products VALUES ($1, 3)', [i])
      const opened = []
      class Opened extends Redlock {
        constructor(options) {
          super({ ...options, fallbackAfter: 0 })
          opened.push(this)
        }
      }
      const make = new Function('Redlock', 'PostgresLockProvider', 'pool', 'nodes', `${code}\nreturn buy`)
      const buy = make(Opened, PostgresLockProvider, pool, await nowhere())
      t.after(() => Promise.all(opened.map((redlock) => redlock.close({ timeout: 0 }))))
      const results = await Promise.all(Array.from({ length: 5 }, () => buy(i)))
      assert.equal(results.filter(Boolean).length, 3)
      const { rows } = await pool.query('SELECT stock FROM products WHERE id = $1', [i])
      assert.equal(rows[0].stock, 0)
      assert.equal(opened.length, i === 0 ? 1 : 0)
    })
  })
})
