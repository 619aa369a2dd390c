// The buyers of one process. Each comes at its time, asks for one item, and gets an answer: sold or sold out.

import { setTimeout as sleep } from 'node:timers/promises'

const LOCK_TTL_MS = 5000
// Generous, so that nobody is turned away by the lock itself. Asked again soon at first, since an order takes only
// a few milliseconds; later less often, since hundreds who ask at once split the nodes' votes among themselves.
const WAITING = { wait: 15_000, retryDelay: 10, retryDelayMax: 500 }
const WORK_MS = 1 // checking the price, writing the order

/**
 * @param {{ arrivals: number[], stock, redlock?, key: string, onAnswer(answer): void }} sale
 *   `arrivals` in ms after the opening; without `redlock` the buyers run unprotected
 */
export async function runBuyers({ arrivals, stock, redlock, key, onAnswer }) {
  const openedAt = performance.now()
  await Promise.all(
    arrivals.map(async (arrival) => {
      await sleep(Math.max(0, openedAt + arrival - performance.now()))
      const arrivedAt = performance.now()
      const answer = await buy(stock, redlock, key).catch((error) => ({ failed: `${error.name}: ${error.message}` }))
      onAnswer({ ...answer, wait: performance.now() - arrivedAt })
    }),
  )
}

function buy(stock, redlock, key) {
  return redlock ? redlock.withLock(key, LOCK_TTL_MS, () => order(stock), WAITING) : order(stock)
}

// Read, check, work, write: correct as long as nobody else does the same in between.
async function order(stock) {
  const left = await stock.read()
  if (left <= 0) return { sold: false }
  await sleep(WORK_MS)
  await stock.write(left - 1)
  return { sold: true }
}
