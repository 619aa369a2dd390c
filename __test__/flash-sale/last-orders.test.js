'use strict'

// What a process that ends waits for: the orders that were in work, no others, and not for ever.

const path = require('node:path')
const { pathToFileURL } = require('node:url')
const { before, test } = require('node:test')
const assert = require('node:assert/strict')
const { within } = require('../support/until')
const { FOLDER, load, requireDependency } = require('./shop')

const dist = (file) => import(pathToFileURL(path.join(FOLDER, 'dist', file)).href)

let Admission
let OrdersShutdown
let LOCK_MAX_HOLD_MS

before(async () => {
  await load('shop.mjs') // says so where the example is not built
  requireDependency('reflect-metadata')
  // Nobody is asked at these addresses; the times make the limit as short as it can be.
  const env = { DATABASE_URL: 'postgres://none', QUEUE_URL: 'redis://none', QUORLOCK_NODES: 'redis://none' }
  Object.assign(process.env, env, { ORDER_WAIT_MS: '0', PAYMENT_MS: '0', ORDERS_IN_WORK: '2' })
  ;({ LOCK_MAX_HOLD_MS } = await dist('settings.js'))
  ;({ Admission } = await dist('orders/admission.js'))
  ;({ OrdersShutdown } = await dist('orders/orders-shutdown.js'))
})

/** An admission with one order in work, whose `end` ends it. */
function working() {
  const admission = new Admission()
  let end
  const order = new Promise((_resolve, reject) => {
    end = () => reject(new Error('sold out'))
  })
  admission.admit(() => order).catch(() => {})
  return { admission, end }
}

const never = () => new Promise(() => {})

test('new locks are refused before anybody is waited for, and whoever comes meanwhile is not waited for', async () => {
  const { admission, end } = working()
  const told = []
  const shutdown = new OrdersShutdown({ drain: () => told.push('drained') }, admission)
  const over = shutdown.onModuleDestroy().then(() => told.push('over'))
  assert.deepEqual(told, ['drained'])
  admission.admit(never)
  await assert.rejects(admission.admit(never), { code: 'BUSY' })
  assert.deepEqual(told, ['drained'])
  end()
  await within(LOCK_MAX_HOLD_MS / 2, over, 'the shutdown')
})

test('an order that hangs is told of and left behind when its lock is not renewed any more', async (t) => {
  const { Logger } = requireDependency('@nestjs/common')
  const lines = []
  t.mock.method(Logger.prototype, 'warn', (line) => lines.push(line))
  const { admission } = working()
  const shutdown = new OrdersShutdown({ drain() {} }, admission)
  await within(10 * LOCK_MAX_HOLD_MS, shutdown.onModuleDestroy(), 'the shutdown')
  assert.deepEqual(lines, [`the last orders took longer than ${LOCK_MAX_HOLD_MS} ms`])
})
