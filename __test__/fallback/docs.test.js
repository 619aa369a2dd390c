'use strict'

// The examples of docs/fallbacks.md, run as they stand there.

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { before, describe, test } = require('node:test')
const { nowhere } = require('./away')
const { openPool, usePostgres, Client, Pool, PostgresLockProvider } = require('./postgres')
const { Redlock } = require('../support/quorlock')
const { within } = require('../support/until')

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

  /** What the example makes, with nodes that are away, and the pool that is there for the work. */
  async function run(t, code) {
    const opened = []
    const pools = []
    t.after(async () => {
      await Promise.all(opened.map((redlock) => redlock.close({ timeout: 0 })))
      await Promise.all(pools.map((pool) => pool.end()))
    })
    class Opened extends Redlock {
      constructor(options) {
        super({ ...options, fallbackAfter: 0 })
        opened.push(this)
      }
    }
    class Located extends Pool {
      constructor(options) {
        super({ connectionString: pg.url, ...options })
        pools.push(this)
      }
    }
    const pool = openPool(t, pg.url)
    const make = new Function('Redlock', 'PostgresLockProvider', 'Pool', 'pool', 'nodes', `${code}\nreturn buy`)
    const buy = make(Opened, PostgresLockProvider, Located, pool, await nowhere())
    return { buy, pool, opened }
  }

  examples.forEach((code, i) => {
    test(`example ${i + 1} sells what there is, and not more`, async (t) => {
      const { buy, pool, opened } = await run(t, code)
      await pool.query('INSERT INTO products VALUES ($1, 3)', [i])
      const results = await Promise.all(Array.from({ length: 5 }, () => buy(i)))
      assert.equal(results.filter(Boolean).length, 3)
      const { rows } = await pool.query('SELECT stock FROM products WHERE id = $1', [i])
      assert.equal(rows[0].stock, 0)
      assert.equal(opened.length, i === 0 ? 1 : 0)
    })

    test(`example ${i + 1} sells more products at once than a pool has connections`, async (t) => {
      const { buy, pool } = await run(t, code)
      const products = Array.from({ length: pool.options.max + 5 }, (_, n) => 100 * (i + 1) + n)
      for (const product of products) await pool.query('INSERT INTO products VALUES ($1, 1)', [product])
      const sold = await within(60_000, Promise.all(products.map((product) => buy(product))), 'the sale')
      assert.ok(sold.every(Boolean))
    })
  })
})
