// One of the four processes: connects, says so, and lets its share of the buyers loose when told.

import { Redlock } from '../../index.mjs'
import { runBuyers } from './buyers.mjs'
import { gone, remoteStock } from './stock.mjs'

const CLOSE_MS = 500

const redlock = Redlock.fromEnv()
const stock = remoteStock()

// The sales are over, or the parent is gone in the middle of one: then calls are open that nobody will answer.
process.on('disconnect', async () => {
  await redlock.close({ timeout: CLOSE_MS })
  process.exit()
})

redlock.on('nodeDown', ({ node }) => process.send({ nodeDown: node }, gone))
process.on('message', async ({ sale }) => {
  if (!sale) return
  const { arrivals, key, locked } = sale
  const onAnswer = (answer) => process.send({ answer }, gone)
  await runBuyers({ arrivals, key, stock, redlock: locked ? redlock : undefined, onAnswer })
  process.send({ done: true }, gone)
})

await redlock.connect({ timeout: 10_000 })
process.send({ ready: true }, gone)
