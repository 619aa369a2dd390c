// One sale from opening to the last answer, and what came out of it.

import { createStock } from './stock.mjs'

/** @returns {Promise<object>} the figures of the table */
export async function runSale({ crowd, arrivals, items, key, locked, progress, onHalfSold, onNodeDown }) {
  const openedAt = performance.now()
  const waits = []
  const failures = []
  let sold = 0
  let lastSoldAt = openedAt
  const onAnswer = ({ sold: gotOne, failed, wait }) => {
    waits.push(wait)
    if (failed) failures.push(failed)
    if (gotOne) {
      sold++
      lastSoldAt = performance.now()
    }
    progress.update(waits.length, sold)
    if (gotOne && sold === Math.ceil(items / 2)) onHalfSold?.()
  }
  await crowd.run({ arrivals, key, locked, stock: createStock(items), onAnswer, onNodeDown })
  progress.end()

  waits.sort((a, b) => a - b)
  return {
    sold,
    refused: arrivals.length - sold - failures.length,
    failures,
    oversold: Math.max(0, sold - items),
    waitP50: percentile(waits, 0.5),
    waitP99: percentile(waits, 0.99),
    ordersPerSecond: sold && sold / ((lastSoldAt - openedAt) / 1000),
    seconds: (performance.now() - openedAt) / 1000,
  }
}

/** A rush at the opening, then a stream that thins out: ms after the opening, the same for every sale of a run. */
export function arrivalTimes(buyers, overMs) {
  return Array.from({ length: buyers }, (_, buyer) => overMs * (buyer / buyers) ** 1.5)
}

function percentile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}
