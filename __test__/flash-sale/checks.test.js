'use strict'

// The checks of the load run find what they are there for: each of these sales went wrong in one way.

const { before, test } = require('node:test')
const assert = require('node:assert/strict')
const { load } = require('./shop')

const ITEMS = 3
const BUYERS = 5
let verify
let FAULTS

before(async () => {
  verify = (await load('load/verify.mjs')).verify
  FAULTS = (await load('load/faults.mjs')).FAULTS
})

/** A sale as it should be. */
function sale() {
  const ids = ['a', 'b', 'c']
  // The second was sold by the fallback, which has no token.
  const orders = ids.map((id, i) => ({
    ...{ id, userId: `user-${id}`, quantity: 1, status: 'confirmed', degraded: i === 1 },
  }))
  const purchases = ids.map((orderId, i) => ({
    ...{ kind: 'purchase', delta: -1, stockAfter: ITEMS - 1 - i, token: i === 1 ? null : 10 + i, orderId },
  }))
  return {
    items: ITEMS,
    buyers: BUYERS,
    orders,
    after: structuredClone(orders),
    movements: [{ kind: 'adjustment', delta: ITEMS, stockAfter: ITEMS, token: 5, orderId: null }, ...purchases],
    confirmations: ids.map((orderId) => ({ orderId })),
    stock: 0,
    outcomes: [
      ...ids.map((id, buyer) => ({ buyer, ended: 'bought', orderIds: [id, id] })),
      ...[3, 4].map((buyer) => ({ buyer, ended: 'sold out', orderIds: [] })),
    ],
    journal: {
      answers: [201, 200, 409, 429, 503].map((status, at) => ({ at, status })),
      stock: [{ stock: 3 }, { stock: 0 }],
      faults: [
        { name: FAULTS.nodeKilled, from: 0, to: 9, soldTo: 0, missed: true },
        { name: FAULTS.processKilled, from: 2, to: 4, soldTo: 0, endedBy: 'SIGKILL', inHand: 1 },
        { name: FAULTS.nodeSuspended, from: 5, to: 6, soldTo: 1, missed: true },
        { name: FAULTS.quorumSuspended, from: 7, to: 8, soldTo: 2 },
      ],
    },
  }
}

const failedOf = (result) =>
  verify(result)
    .filter(({ ok }) => !ok)
    .map(({ name }) => name)

test('a sale as it should be passes', () => {
  assert.deepEqual(failedOf(sale()), [])
})

test('so does one whose orders the queue has worked after the restart', () => {
  const result = sale()
  for (const order of result.orders) order.status = 'accepted'
  assert.deepEqual(failedOf(result), [])
})

test('so does one whose killed process had just given its orders back, while requests to it were cut off', () => {
  const result = sale()
  result.journal.faults[1].inHand = 0
  result.journal.answers.push({ at: 3, status: 503, code: 'UNREACHABLE' })
  assert.deepEqual(failedOf(result), [])
})

const order = (id, userId) => ({ id, userId, quantity: 1, status: 'confirmed' })

for (const [name, spoil] of [
  ['exactly 3 sold', (s) => s.orders.push(order('d', 'user-d'))],
  ['exactly 3 sold', (s) => s.orders.pop()],
  ['what is left in stock', (s) => (s.stock = 1)],
  ['stock never below zero', (s) => s.journal.stock.push({ stock: -1 })],
  ['stock never below zero', (s) => (s.movements.at(-1).stockAfter = -1)],
  ['some sold by the fallback', (s) => (s.orders[1].degraded = false)],
  ['some sold by the fallback', (s) => (s.movements[2].token = 11)],
  ['no order twice', (s) => (s.orders[1].userId = s.orders[0].userId)],
  ['no order twice', (s) => s.movements.push({ ...s.movements.at(-1) })],
  ['no order twice', (s) => [Object.assign(s.orders[1], { userId: s.orders[0].userId }), s.movements.splice(2, 1)]],
  ['no order twice', (s) => (s.movements[2].orderId = s.movements[1].orderId)],
  ['each change follows from the one before', (s) => (s.movements[2].stockAfter = 2)],
  ['tokens never fall', (s) => (s.movements[3].token = 1)],
  ['the same request gave the same order', (s) => (s.outcomes[0].orderIds = ['a', 'b'])],
  ['accepted orders present after the restart', (s) => s.after.shift()],
  ['the restart left the orders as they were', (s) => s.after.shift()],
  ['the restart left the orders as they were', (s) => s.after.push(order('d', 'user-d'))],
  ['the restart left the orders as they were', (s) => (s.after[0].userId = 'user-d')],
  ['the restart left the orders as they were', (s) => (s.after[0].quantity = 2)],
  ['the restart left the orders as they were', (s) => (s.after[0].status = 'cancelled')],
  ['orders nobody was told of', (s) => (s.outcomes[0] = { ...s.outcomes[0], orderIds: [] })],
  ['the queue has worked each order once', (s) => s.confirmations.push({ orderId: 'a' })],
  ['the queue has worked each order once', (s) => s.confirmations.pop()],
  ['the queue has worked each order once', (s) => (s.after[0].status = 'accepted')],
  ['refusals are 409, 429 or 503', (s) => s.journal.answers.push({ status: 500 })],
  ['refusals are 409, 429 or 503', (s) => s.journal.answers.push({ status: 0, code: 'ECONNRESET' })],
  ['every buyer has a final answer', (s) => (s.outcomes[4].ended = 'gave up')],
  ['every fault was over before the end', (s) => (s.journal.faults[3].soldTo = ITEMS)],
  ['every fault was over before the end', (s) => delete s.journal.faults[3].soldTo],
  ['every fault was over before the end', (s) => s.journal.faults.pop()],
  ['lock nodes that were taken away were missed', (s) => delete s.journal.faults[0].missed],
  ['lock nodes that were taken away were missed', (s) => delete s.journal.faults[2].missed],
  ['lock nodes that were taken away were missed', (s) => s.journal.faults.splice(2, 1)],
  ['a process was killed in the middle of orders', (s) => (s.journal.faults[1].endedBy = 0)],
  ['a process was killed in the middle of orders', (s) => delete s.journal.faults[1].endedBy],
  ['a process was killed in the middle of orders', (s) => s.journal.faults.splice(1, 1)],
  ['a process was killed in the middle of orders', (s) => (s.journal.faults[1].inHand = 0)],
  [
    'a process was killed in the middle of orders',
    (s) => {
      s.journal.faults[1].inHand = 0
      s.journal.answers.push({ at: 5, status: 503, code: 'UNREACHABLE' }) // later
    },
  ],
]) {
  test(`found: ${name}, by ${spoil.toString().replace(/^\(s\) => /, '')}`, () => {
    const spoilt = sale()
    spoil(spoilt)
    assert.ok(failedOf(spoilt).includes(name))
  })
}
