// Speed of quorlock beside its peers and beside the floor, on three real Redis nodes that this program starts.
// Order of events: options, peers, servers, windows of distinct keys, windows of one hot key, tables, files.

import { parseArgs } from 'node:util'
import { writeChart } from './chart.mjs'
import { startChild } from './children.mjs'
import { checkTargets } from './comparison.mjs'
import { contenders, OURS } from './contenders.mjs'
import { measureFencing } from './fenced/measure.mjs'
import { fencingTable, serverTable } from './fenced/section.mjs'
import { contenders as hotContenders } from './hot/contenders.mjs'
import { rows as hotRows } from './hot/rows.mjs'
import { measureHot } from './hot/schedule.mjs'
import { hotSettings } from './hot/settings.mjs'
import { hotTable } from './hot/table.mjs'
import { installPeers } from './installation.mjs'
import { describeMachine } from './machine.mjs'
import { endProgress, showProgress } from './progress.mjs'
import { writeFencing, writeResults } from './results.mjs'
import { measureAll } from './schedule.mjs'
import { redisVersion, startServers } from './servers.mjs'
import { rowsOf, textTable } from './table.mjs'

const DEPTHS = [1, 64, 512]
const PARTS = ['distinct', 'fencing', 'hot']
const HELP = `Usage: npm run bench -- [options]

  --quick         short windows, prints only (a check that it runs, not a measurement)
  --rounds <n>    windows per contender and depth (default 5)
  --window <ms>   length of a window (default 1500)
  --only <ids>    comma-separated, prints only: ${ids().join(', ')}
  --part <name>   prints only: distinct (a key for every lock in flight) or hot (one key for all);
                  fencing (distinct keys, with and without tokens) writes its section`

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    window: { type: 'string' },
    only: { type: 'string' },
    part: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

if (options.help) {
  console.log(HELP)
} else {
  process.on('SIGINT', () => process.exit(130))
  process.on('SIGTERM', () => process.exit(143))
  await bench().catch((error) => {
    console.error(error)
    process.exit(1)
  })
}

async function bench() {
  const settings = settingsOf(options)
  if (![undefined, ...PARTS].includes(options.part))
    throw new Error(`no part is called ${JSON.stringify(options.part)}`)
  const chosen = new Set(choose(options.only?.split(',') ?? ids()))
  if (!redisVersion())
    throw new Error('the bench needs `redis-server` on the PATH (Debian: apt-get install redis-server)')
  installPeers()
  const machine = describeMachine()

  const { nodes, close } = await startServers()
  try {
    const isWanted = (part) => [undefined, part].includes(options.part)
    const distinct = isWanted('distinct') ? await measureDistinct(chosen, nodes, settings) : {}
    const fencing = isWanted('fencing') ? await measureTokens(nodes, settings) : undefined
    const hot = isWanted('hot') ? await measureHotKey(chosen, nodes, settings) : undefined
    endProgress()
    publish({ ...distinct, fencing, hot, depths: DEPTHS, settings, machine })
  } finally {
    close()
  }
}

async function measureDistinct(chosen, nodes, settings) {
  const wanted = contenders.filter(({ id }) => chosen.has(id))
  const started = await Promise.all(wanted.map((contender) => startChild(contender, nodes, settings.ttl)))
  const children = started.filter(({ failed }) => !failed)
  const absent = new Map(started.filter(({ failed }) => failed).map(({ contender, failed }) => [contender.id, failed]))
  if (absent.has(OURS)) throw new Error(`quorlock cannot be loaded (\`npm run build\` first?): ${absent.get(OURS)}`)
  for (const [id, reason] of absent) console.log(`not measured: ${id} (${reason})`)

  const onWindow = ({ round, depth, contender, figures }) =>
    showProgress(
      `round ${round}, ${depth} in flight, ${contender.label}: ${Math.round(figures.cyclesPerSecond)} cycles/s`,
    )
  const results = await measureAll(children, { depths: DEPTHS, ...settings, onWindow })
  await Promise.all(children.map((child) => child.close()))
  return { results, absent }
}

async function measureTokens(nodes, { fencingWindows: windows, fencingWindowMs: windowMs }) {
  const onWindow = ({ round, depth, mode, figures }) =>
    showProgress(`round ${round}, ${depth} in flight, ${mode}: ${Math.round(figures.rate)} cycles/s`)
  const settings = { warmUps: 2, windows, windowMs, onWindow }
  const cycles = await measureFencing(nodes, DEPTHS, settings)
  // A server counts the time that passes inside its commands: it needs a core of its own to say where its CPU goes.
  const alone = await measureFencing(nodes.slice(0, 1), DEPTHS.slice(-1), settings)
  return { cycles, alone: alone.get(DEPTHS.at(-1)) }
}

function measureHotKey(chosen, nodes, settings) {
  const wanted = hotContenders.filter(({ id }) => chosen.has(id))
  const onWindow = ({ round, row, contender, cells }) =>
    showProgress(`round ${round}, ${row.title}, ${contender.label}: ${cells.join(', ')}`)
  return measureHot(wanted, hotRows, { nodes, settings, onWindow })
}

function publish(run) {
  const { results, fencing, hot } = run
  if (results) {
    for (const depth of DEPTHS) console.log(`\n${depth} in flight\n${textTable(rowsOf(results, depth))}`)
  }
  if (fencing) {
    console.log(`\nwith fencing and without\n${textTable(fencingTable(fencing.cycles))}\n`)
    console.log(textTable(serverTable(fencing.alone)))
  }
  if (hot) {
    for (const row of hotRows) console.log(`\n${row.title}\n${textTable(hotTable(row, hot.get(row.id)))}`)
  }
  if (options.part === 'fencing' && !options.quick) {
    writeFencing(run)
    console.log('\nwritten: the section on fencing in benches/RESULTS.md')
  }
  if (options.only || options.part) return
  console.log('\nTargets')
  for (const { text, shown, reached } of checkTargets(run)) {
    console.log(`  ${reached ? 'yes' : 'no '}  ${text}: ${shown}`)
  }
  if (options.quick) return
  writeResults(run)
  writeChart(run)
  console.log('\nwritten: benches/RESULTS.md, docs/bench.svg')
}

function settingsOf({ quick, rounds, window }) {
  return {
    rounds: count(rounds ?? (quick ? 1 : 5)),
    windowMs: count(window ?? (quick ? 300 : 1500)),
    settleMs: quick ? 50 : 200,
    warmUpMs: quick ? 200 : 700,
    ttl: 10_000,
    fencingWindows: quick ? 1 : 15,
    fencingWindowMs: quick ? 200 : 400,
    ...hotSettings(quick),
  }
}

function choose(wanted) {
  for (const id of wanted) {
    if (!ids().includes(id)) throw new Error(`no contender is called ${JSON.stringify(id)}`)
  }
  return wanted
}

function ids() {
  return [...new Set([...contenders, ...hotContenders].map(({ id }) => id))]
}

function count(text) {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1)
    throw new RangeError(`a whole number of at least 1 is needed, not ${text}`)
  return number
}
