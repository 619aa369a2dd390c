'use strict'

// The two layers. Two processes sell the same stock: one sees the nodes, the other does not and has fallen back. Both have
// "the lock" at once. With a row lock in the database they never oversell; without it they do.

const path = require('node:path')
const assert = require('node:assert/strict')
const { before, describe, test } = require('node:test')
const { openPool, usePostgres, Client } = require('./postgres')
const { Child } = require('../support/child')
const { proxies, urlsOf, useCluster } = require('../support/cluster')
const { until } = require('../support/until')

const SELLER = path.join(__dirname, 'fixtures', 'seller.js')

describe('two processes, of which one does not see the nodes', () => {
  const cluster = useCluster(3)
  const pg = usePostgres()

  before(async () => {
    const client = new Client(pg.url)
    await client.connect()
    await client.query('CREATE TABLE products (id int PRIMARY KEY, stock int NOT NULL)')
    await client.query('CREATE TABLE sales (id serial PRIMARY KEY, seller int NOT NULL)')
    await client.query('INSERT INTO products VALUES (1, 0)')
    await client.end()
  })

  async function shop(t, stock) {
    const pool = openPool(t, pg.url)
    await pool.query('UPDATE products SET stock = $1', [stock])
    await pool.query('TRUNCATE sales')
    return {
      waiting: async () => (await pool.query('SELECT 1 FROM pg_locks WHERE NOT granted')).rowCount > 0,
      count: async () => {
        const { rows } = await pool.query(
          'SELECT (SELECT stock FROM products) AS stock, (SELECT count(*)::int FROM sales) AS sold',
        )
        return rows[0]
      },
    }
  }

  async function seller(t, nodes, fallback, rowLock) {
    const sees = nodes.join() === cluster.urls.join()
    const child = new Child(SELLER, { args: [JSON.stringify({ nodes, url: pg.url, fallback, rowLock, sees })] })
    t.after(() => child.stop())
    await child.message((message) => message === 'ready', 60_000)
    return child
  }

  /** The same nodes, behind a network that has gone. */
  async function cutOff(t) {
    const network = await proxies(t, cluster)
    await Promise.all(network.map((proxy) => proxy.refuse()))
    return urlsOf(network)
  }

  const inside = (child) => child.message((message) => message.inside, 60_000)
  const read = (child) => child.message((message) => message.read !== undefined, 60_000)
  const done = async (child) => (await child.message((message) => message.done, 120_000)).done

  for (const fallback of ['local', 'postgres']) {
    describe(`fallback: ${fallback}`, () => {
      test('one item, both inside at once, with the row lock: one sells it, the other is refused', async (t) => {
        const { count, waiting } = await shop(t, 1)
        const sees = await seller(t, cluster.urls, fallback, true)
        const blind = await seller(t, await cutOff(t), fallback, true)
        sees.send('sell')
        assert.equal((await inside(sees)).degraded, false)
        await read(sees)
        blind.send('sell')
        assert.equal((await inside(blind)).degraded, true)
        await until(waiting, { what: 'the second waits for the row' })
        sees.send('go')
        assert.deepEqual(await done(sees), { isSold: true, degraded: false })
        assert.equal((await read(blind)).read, 0)
        blind.send('go')
        assert.deepEqual(await done(blind), { isSold: false, degraded: true })
        assert.deepEqual(await count(), { stock: 0, sold: 1 })
      })

      test('one item, both inside at once, without it: it is sold twice', async (t) => {
        const { count } = await shop(t, 1)
        const sees = await seller(t, cluster.urls, fallback, false)
        const blind = await seller(t, await cutOff(t), fallback, false)
        for (const child of [sees, blind]) {
          child.send('sell')
          await inside(child)
          assert.equal((await read(child)).read, 1)
        }
        for (const child of [sees, blind]) {
          child.send('go')
          assert.equal((await done(child)).isSold, true)
        }
        assert.deepEqual(await count(), { stock: 0, sold: 2 })
      })

      test('a sale of 100 items to 200, with the row lock: 100 are sold', async (t) => {
        const { count } = await shop(t, 100)
        const sees = await seller(t, cluster.urls, fallback, true)
        const blind = await seller(t, await cutOff(t), fallback, true)
        for (const child of [sees, blind]) child.send({ sell: 100 })
        const [one, other] = await Promise.all([done(sees), done(blind)])
        assert.equal(one.sold + other.sold, 100)
        assert.equal(one.refused + other.refused, 100)
        assert.deepEqual([one.degraded, other.degraded], [0, 100])
        assert.deepEqual(await count(), { stock: 0, sold: 100 })
      })
    })
  }

  test('two that do not see the nodes and have the same Postgres exclude each other; by themselves they do not', async (t) => {
    for (const [fallback, sold] of [
      ['postgres', 1],
      ['local', 2],
    ]) {
      const { count } = await shop(t, 1)
      const nodes = await cutOff(t)
      const [one, other] = [await seller(t, nodes, fallback, false), await seller(t, nodes, fallback, false)]
      one.send('sell')
      assert.equal((await inside(one)).degraded, true)
      await read(one)
      other.send('sell')
      const others = inside(other).then(() => read(other))
      if (fallback === 'local') await others
      one.send('go')
      await done(one)
      assert.equal((await others).read, fallback === 'local' ? 1 : 0)
      other.send('go')
      await done(other)
      assert.deepEqual(await count(), { stock: 0, sold })
    }
  })
})
