// The load run: opens the shop, lets everybody in at once, breaks things meanwhile, restarts the service, and looks at
// what has come out.

import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Client } from '../client.mjs'
import { fill } from '../fill.mjs'
import { writeReport } from '../report/report.mjs'
import { openShop } from '../shop.mjs'
import { openBooks } from './books.mjs'
import { sendBuyers } from './buyers.mjs'
import { breakThings } from './faults.mjs'
import { figuresOf } from './figures.mjs'
import { Journal } from './journal.mjs'
import { startProgress } from './progress.mjs'
import { printTable } from './table.mjs'
import { verify } from './verify.mjs'

const VARIANT = 'shirt-m'
const REPORT = fileURLToPath(new URL('../../report.html', import.meta.url))
const SALE_LIMIT_MS = 4 * 60_000
const QUEUE_LIMIT_MS = 60_000
const STOCK_EVERY_MS = 200
const POLL_MS = 100
const OUTPUT_SHOWN = 2000

/** @returns {Promise<number>} the exit code */
export async function runLoad({ buyers, items, processes, port, paymentMs, report = REPORT }) {
  console.log(`${buyers} buyers, ${items} items, ${processes} application processes, 3 lock nodes`)
  const shop = await openShop({ processes, port, env: { PAYMENT_MS: String(paymentMs), NODE_ENV: 'production' } })
  const client = new Client(shop.url)
  const books = openBooks(shop.env.DATABASE_URL, VARIANT)
  try {
    await fill(client, { variantId: VARIANT, productId: 'shirt', items })
    console.log(`open at ${shop.url}`)

    const { journal, outcomes } = await sell({ shop, client, books, buyers, items })
    const orders = await books.orders()
    journal.markDegraded(orders)
    const after = await restart(shop, client, books)
    const checks = verify({
      ...{ items, buyers, outcomes, journal, after, orders },
      movements: await books.movements(),
      confirmations: await books.confirmations(),
      stock: await books.stock(),
    })
    const figures = figuresOf(journal)
    printTable(figures, checks)
    await writeReport(report, { journal, figures, checks, buyers, items, processes })
    console.log(`report: ${report}`)
    const failed = checks.some(({ ok }) => !ok)
    if (failed) for (const { output } of shop.applications) console.error(output.slice(-OUTPUT_SHOWN))
    return failed ? 1 : 0
  } finally {
    client.close()
    await books.close()
    await shop.close()
  }
}

async function sell({ shop, client, books, buyers, items }) {
  const journal = new Journal()
  const progress = startProgress(journal, items)
  const limit = AbortSignal.timeout(SALE_LIMIT_MS)
  const ended = new AbortController()
  const signal = AbortSignal.any([limit, ended.signal])
  setMaxListeners(0, limit, signal) // every buyer who waits listens
  const watching = watchStock(books, journal, signal)
  const direct = shop.applications.map(() => undefined)
  const clients = () =>
    shop.applications.map(({ url }, index) => {
      if (direct[index]?.url !== url) {
        direct[index]?.client.close()
        direct[index] = { url, client: new Client(url) } // it has another port after its restart
      }
      return direct[index].client
    })
  const { soldByFallback } = books
  const all = { shop, items, journal, clients, soldByFallback, signal, say: progress.note }
  const breaking = breakThings(all).catch((error) => {
    // Without stock there is nothing to disturb any more; that it came too late is what verify() says.
    if (!signal.aborted) throw error
  })
  try {
    const outcomes = await sendBuyers({ buyers, variantId: VARIANT, client, journal, signal: limit })
    ended.abort()
    await breaking
    await watching
    return { journal, outcomes }
  } finally {
    ended.abort()
    for (const entry of direct) entry?.client.close()
    progress.end()
  }
}

async function watchStock(books, journal, signal) {
  while (!signal.aborted) {
    journal.stockIs(await books.stock())
    await sleep(STOCK_EVERY_MS, undefined, { signal }).catch(() => {})
  }
  journal.stockIs(await books.stock())
}

/** Every process ends and starts again; then the queue has its time. Resolves with the orders as the service gives them. */
async function restart({ applications }, client, books) {
  console.log('restarting all processes')
  const codes = await Promise.all(applications.map((application) => application.stop()))
  if (codes.some((code) => code !== 0)) throw new Error(`processes ended with ${codes.join(', ')}, not with 0`)
  await Promise.all(applications.map((application) => application.start()))
  const limit = performance.now() + QUEUE_LIMIT_MS
  while ((await books.orders()).some(({ status }) => status === 'accepted') && performance.now() < limit) {
    await sleep(POLL_MS)
  }
  const orders = await books.orders()
  const answers = await Promise.all(orders.map(({ id }) => client.get(`/api/v1/orders/${id}`)))
  return answers.flatMap(({ status, body }) => (status === 200 ? body : []))
}
