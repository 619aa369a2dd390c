// What is for sale: a number that anyone may read and anyone may overwrite, each in its own round trip. That is
// how most stock is kept (a row read, then written), and it is why two buyers can be sold the same item.

import { setImmediate as nextTurn } from 'node:timers/promises'

/** The stock itself, in the parent; in one process it is used directly, since its calls are already asynchronous. */
export function createStock(items) {
  let left = items
  return {
    async read() {
      await nextTurn()
      return left
    },
    async write(value) {
      await nextTurn()
      left = value
    },
  }
}

// Somebody who has gone away is found out by the end of its channel, not by a message that cannot be sent.
export function gone() {}

/** Answers the message of a child if it is about the stock. */
export async function serveStock(stock, child, message) {
  if (!message.stock) return
  const { call, stock: operation, value } = message
  const result = await stock[operation](value)
  child.send({ call, result }, gone)
}

/** The same two operations, from a child: each is a message to the parent and its answer. */
export function remoteStock() {
  const pending = new Map()
  let calls = 0
  process.on('message', ({ call, result }) => {
    pending.get(call)?.(result)
    pending.delete(call)
  })
  const ask = (operation, value) =>
    new Promise((resolve) => {
      const call = ++calls
      pending.set(call, resolve)
      process.send({ call, stock: operation, value }, gone)
    })
  return { read: () => ask('read'), write: (value) => ask('write', value) }
}
