// `npm run example:flash-sale`: the shop, open until Ctrl-C; with --load a sale with faults, and what came out of it.

import { parseArgs } from 'node:util'
import { Client } from './client.mjs'
import { fill } from './fill.mjs'
import { openShop } from './shop.mjs'

const DEFAULT_PROCESSES = { shop: 1, load: 3 }
/** Each has 28 connections to Postgres, which allows 100 by default. */
const MOST_PROCESSES = 3
const OWN = ['DATABASE_URL', 'QUEUE_URL', 'QUORLOCK_NODES']
/** A sale in which every fault has its time: a node that was killed does not vote for some 17 s, before the next. */
const SALE_MS = 32_000
const LONGEST_PAYMENT_MS = 10_000
const HELP = `Usage: npm run example:flash-sale -- [options]

  --processes <n>   application processes behind the one address, ${MOST_PROCESSES} at most (default ${DEFAULT_PROCESSES.shop}, with --load ${DEFAULT_PROCESSES.load})
  --items <n>       how many there are to sell, where none are yet (default 100)
  --port <n>        of the address (default 3000; 0: any that is free)

  --load            a sale with faults, instead of a shop that stays open
  --buyers <n>      how many come, all at once (default 1500)
  --payment-ms <n>  how long a payment takes, and thereby how long the sale does (default: ${SALE_MS / 1000} s for all)
  --report <file>   where the report goes (default examples/flash-sale/report.html)

DATABASE_URL, QUEUE_URL and QUORLOCK_NODES name servers of yours instead of those that are started for this. A --load run
kills and stops lock nodes, so it always starts its own.`

// exit() runs the exit handlers that stop servers and applications.
process.on('SIGTERM', () => process.exit(143))
process.exitCode = await main()

async function main() {
  let options
  try {
    options = parse()
  } catch (error) {
    console.error(`${error.message}\n\n${HELP}`)
    return 2
  }
  if (options.help) {
    console.log(HELP)
    return 0
  }
  if (!options.load) return stayOpen(options)
  process.on('SIGINT', () => process.exit(130))
  const { runLoad } = await import('./load/run.mjs')
  return runLoad(options)
}

async function stayOpen({ processes, items, port }) {
  console.log('Starting Postgres, Redis and the application ...')
  const interrupted = new Promise((resolve) => process.once('SIGINT', resolve))
  const env = { NODE_ENV: process.env.NODE_ENV ?? 'test' }
  const shop = await openShop({ processes, env, port, show: true })
  const client = new Client(shop.url)
  const variantId = 'shirt-m'
  let stock
  let nodes
  try {
    stock = await fill(client, { variantId, productId: 'shirt', items })
    nodes = await nodeNames(client)
  } catch (error) {
    console.error(error.message)
    await shop.close()
    return 1
  } finally {
    client.close()
  }
  console.log(`
${stock} of "${variantId}" are for sale at ${shop.url}

  curl -X POST ${shop.url}/api/v1/orders -H 'content-type: application/json' \\
    -H 'idempotency-key: one' -d '{"userId":"anna","variantId":"${variantId}","quantity":1}'
  curl ${shop.url}/api/v1/inventory/${variantId}
  curl ${shop.url}/api/v1/locks/status

${shop.url}            the sale as it goes, in a browser
${shop.url}/api/docs   all endpoints
${shop.url}/health     ${shop.url}/metrics

Lock nodes: ${nodes.join(', ')}
Ctrl-C closes the shop.`)
  await interrupted
  await shop.close()
  return 0
}

/** As the service calls them: the variable may name passwords, and a terminal has onlookers. */
async function nodeNames(client) {
  const { body } = await client.get('/api/v1/locks/status')
  return body.instances[0].nodes.map(({ name }) => name)
}

function parse() {
  const { values } = parseArgs({
    options: {
      load: { type: 'boolean', default: false },
      processes: { type: 'string' },
      items: { type: 'string', default: '100' },
      buyers: { type: 'string', default: '1500' },
      port: { type: 'string' },
      'payment-ms': { type: 'string' },
      report: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const number = (name, from, to, fallback) => {
    const value = values[name] === undefined ? fallback : Number(values[name])
    if (!Number.isInteger(value) || value < from || value > to) {
      throw new RangeError(`--${name} must be a whole number from ${from} to ${to}, not ${values[name]}`)
    }
    return value
  }
  const items = number('items', values.load ? 20 : 1, 100_000)
  const given = OWN.find((name) => process.env[name])
  if (values.load && given) throw new TypeError(`${given} is set, but --load breaks its servers: it starts its own`)
  return {
    help: values.help,
    load: values.load,
    processes: number(
      'processes',
      values.load ? 2 : 1,
      MOST_PROCESSES,
      values.load ? DEFAULT_PROCESSES.load : DEFAULT_PROCESSES.shop,
    ),
    items,
    // Fewer would leave some unsold, and the sale without an end.
    buyers: values.load ? number('buyers', items, 5000) : 0,
    port: number('port', 0, 65_535, values.load ? 0 : 3000),
    paymentMs: number('payment-ms', 0, LONGEST_PAYMENT_MS, Math.min(LONGEST_PAYMENT_MS, Math.ceil(SALE_MS / items))),
    report: values.report,
  }
}
