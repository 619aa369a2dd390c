// The flash sale: many buyers, few items, four processes, three Redis nodes of which one is killed when half is sold.
// Sold twice: once under the lock, once without it.

import { randomUUID } from 'node:crypto'
import { parseArgs } from 'node:util'
import { forkCrowd, localCrowd } from './crowd.mjs'
import { startProgress } from './progress.mjs'
import { paint, printReport } from './report.mjs'
import { arrivalTimes, runSale } from './sale.mjs'
import { hasRedisServer, startServers } from './servers.mjs'

const ARRIVALS_OVER_MS = 4000
const NODE_TO_KILL = 1
const FAILURES_SHOWN = 5
const HELP = `Usage: npm run demo -- [options]

  --buyers <n>     how many come (default 1000)
  --items <n>      how many items there are (default 100)
  --processes <n>  over how many processes the buyers are spread, on Redis (default 4)
  --memory         one process and no Redis, even where there is one

QUORLOCK_NODES=redis://host:6379,... uses nodes of yours instead of three that the demo starts and stops itself.`

const { values: options } = parseArgs({
  options: {
    buyers: { type: 'string', default: '1000' },
    items: { type: 'string', default: '100' },
    processes: { type: 'string', default: '4' },
    memory: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

if (options.help) {
  console.log(HELP)
} else {
  // exit() runs the exit handlers that stop servers and buyer processes.
  process.on('SIGINT', () => process.exit(130))
  process.on('SIGTERM', () => process.exit(143))
  process.exitCode = await demo()
}

async function demo() {
  const [buyers, items, processes] = [options.buyers, options.items, options.processes].map(count)
  console.log(paint('bold', `Flash sale: ${buyers} buyers, ${items} items`))
  const { nodes, servers } = await chooseNodes(processes)
  try {
    const crowd = isMemory(nodes) ? localCrowd(nodes) : await forkCrowd(processes, nodes)
    const sale = { crowd, items, arrivals: arrivalTimes(buyers, ARRIVALS_OVER_MS), key: `demo:product:${randomUUID()}` }
    const locked = await sellWithLock(sale, servers)
    const unlocked = await sellWithoutLock(sale)
    await crowd.close()
    printReport(locked, unlocked)
    return conclude(locked, unlocked, Math.min(items, buyers))
  } finally {
    servers?.close()
  }
}

async function chooseNodes(processes) {
  const given = process.env.QUORLOCK_NODES
  if (given && !options.memory) {
    if (isMemory(given)) console.log('In this one process, on memory, as QUORLOCK_NODES says.')
    else
      console.log(
        `In ${processes} processes, on the nodes in QUORLOCK_NODES. They are yours, so none of them is killed.`,
      )
    return { nodes: given }
  }
  if (!options.memory && hasRedisServer()) {
    const servers = await startServers()
    console.log(`In ${processes} processes, on three Redis nodes started for this: ${servers.urls.join(', ')}`)
    console.log('(QUORLOCK_NODES=redis://... uses nodes of yours; --memory needs no Redis.)')
    return { nodes: servers.urls.join(','), servers }
  }
  console.log(`In this one process, on memory${options.memory ? '.' : ': there is no redis-server on this machine.'}`)
  console.log(
    'For four processes on three Redis nodes, install redis-server (apt-get install redis-server, brew install redis),\n' +
      'or: docker compose up -d, then QUORLOCK_NODES=redis://localhost:6379,redis://localhost:6380,redis://localhost:6381',
  )
  return { nodes: 'memory' }
}

function sellWithLock(sale, servers) {
  const progress = startProgress('with quorlock ', sale.arrivals.length)
  let noticed = false
  const killOne = () => {
    servers.kill(NODE_TO_KILL)
    progress.note(paint('yellow', `Redis node ${NODE_TO_KILL + 1} of ${servers.urls.length} killed; the sale goes on`))
  }
  const onNodeDown = (node) => {
    if (!noticed) progress.note(paint('gray', `nodeDown: ${node}`))
    noticed = true
  }
  return runSale({ ...sale, locked: true, progress, onHalfSold: servers && killOne, onNodeDown })
}

function sellWithoutLock(sale) {
  const progress = startProgress('without a lock', sale.arrivals.length)
  return runSale({ ...sale, locked: false, progress, onNodeDown() {} })
}

function conclude(locked, unlocked, expected) {
  for (const failure of locked.failures.slice(0, FAILURES_SHOWN)) console.error(paint('red', failure))
  if (locked.oversold > 0 || locked.sold !== expected || locked.failures.length > 0) {
    console.error(
      paint(
        'red',
        `The lock did not do its work: ${locked.sold} sold, ${expected} expected, ${locked.failures.length} failed.`,
      ),
    )
    return 1
  }
  console.log(
    `${paint('green', `With the lock exactly ${locked.sold} were sold.`)} ` +
      `Without it ${unlocked.sold} were: ${unlocked.oversold} people paid for something that is not there.`,
  )
  return 0
}

function isMemory(nodes) {
  return nodes === 'memory' || nodes.startsWith('memory:')
}

function count(text) {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1)
    throw new RangeError(`a whole number of at least 1 is needed, not ${text}`)
  return number
}
