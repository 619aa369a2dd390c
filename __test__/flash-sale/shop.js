'use strict'

// The shop of examples/flash-sale for the tests of a file: real servers, and processes of the built application.

const path = require('node:path')
const fs = require('node:fs')
const { createRequire } = require('node:module')
const { pathToFileURL } = require('node:url')
const { before } = require('node:test')
const assert = require('node:assert/strict')
const { suiteScope } = require('../support/suite')

const FOLDER = path.join(__dirname, '..', '..', 'examples', 'flash-sale')

/** What the example depends on. */
const requireDependency = createRequire(path.join(FOLDER, 'package.json'))

// Servers and applications are stopped when this process exits, which the end by a signal is not.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))

/** One file of the example's launcher. */
function load(file) {
  if (!fs.existsSync(path.join(FOLDER, 'dist', 'main.js'))) {
    throw new Error('examples/flash-sale is not built: node scripts/flash-sale-build.mjs')
  }
  return import(pathToFileURL(path.join(FOLDER, 'run', file)).href)
}

const ROWS = 'SELECT * FROM variants WHERE id = ANY($1) FOR UPDATE'

let names = 0
const unique = (name) => `test-${name}-${++names}`

/** A shop that is open while the tests of this file run; its helpers are there once they do. */
function useShop(options) {
  const suite = suiteScope()
  const shop = {}
  before(async () => {
    const { openShop } = await load('shop.mjs')
    const { Client } = await load('client.mjs')
    const opened = await openShop(options)
    suite.after(() => opened.close())
    const pg = requireDependency('pg')
    const database = new pg.Pool({ connectionString: opened.env.DATABASE_URL, max: 2 })
    suite.after(() => database.end())
    const connection = () => new pg.Client({ connectionString: opened.env.DATABASE_URL })
    const client = new Client(opened.url)
    suite.after(() => client.close())
    Object.assign(shop, opened, helpers(client), {
      client,
      sql: async (text, values) => (await database.query(text, values)).rows,
      /** A transaction beside the service that keeps what `statement` locks, until the returned function is called. */
      keep: (t, statement) => keep(t, connection(), statement),
      /** The same of rows of variants: who adjusts or sells one waits. */
      keepRows: (t, ...variantIds) => keep(t, connection(), ROWS, [variantIds]),
      /** A client of one process alone. */
      clientOf(index) {
        const direct = new Client(opened.applications[index].url)
        suite.after(() => direct.close())
        return direct
      },
    })
  })
  return shop
}

async function keep(t, database, statement, values) {
  await database.connect()
  let isOpen = true
  const end = async () => {
    if (isOpen) await database.end()
    isOpen = false
  }
  t.after(end)
  await database.query('BEGIN')
  await database.query(statement, values)
  return end
}

/** What somebody new asks for. */
const request = (variantId) => ({ variantId, userId: unique('user'), key: unique('key') })

function helpers(client) {
  return {
    /** A new variant, of a product of its own. */
    async variant(stock) {
      const variantId = unique('variant')
      const productId = unique('product')
      assert.equal((await client.post('/api/v1/inventory', { variantId, productId })).status, 200)
      if (stock > 0) assert.deepEqual((await this.adjust(variantId, stock)).body, { variantId, stock })
      return { variantId, productId }
    },

    adjust(variantId, delta, { key, by = client } = {}) {
      const headers = key === undefined ? {} : { 'idempotency-key': key }
      return by.post(`/api/v1/inventory/${variantId}/adjust`, { delta }, headers)
    },

    async stock(variantId) {
      return (await client.get(`/api/v1/inventory/${variantId}`)).body.stock
    },

    /** Asks for one order; `by` another client than that of the shop's one address. */
    order({ variantId, quantity = 1, userId = unique('user'), key = unique('key') }, by = client) {
      return by.post('/api/v1/orders', { userId, variantId, quantity }, { 'idempotency-key': key })
    },
  }
}

module.exports = { useShop, load, request, unique, requireDependency, FOLDER }
