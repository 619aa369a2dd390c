// Speed of quorlock beside its peers and beside the floor, on three real Redis nodes that this program starts.
// Order of events: options, peers, servers, children, windows, tables, files.

import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { writeChart } from './chart.mjs'
import { startChild } from './children.mjs'
import { checkTargets } from './comparison.mjs'
import { contenders, OURS } from './contenders.mjs'
import { describeMachine } from './machine.mjs'
import { writeResults } from './results.mjs'
import { measureAll } from './schedule.mjs'
import { redisVersion, startServers } from './servers.mjs'
import { rowsOf, textTable, times } from './table.mjs'

const DEPTHS = [1, 64, 512]
const HELP = `Usage: npm run bench -- [options]

  --quick         short windows, prints only (a check that it runs, not a measurement)
  --rounds <n>    windows per contender and depth (default 5)
  --window <ms>   length of a window (default 1500)
  --only <ids>    comma-separated, prints only: ${contenders.map(({ id }) => id).join(', ')}`

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    window: { type: 'string' },
    only: { type: 'string' },
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
  const settings = {
    rounds: count(options.rounds ?? (options.quick ? 2 : 5)),
    windowMs: count(options.window ?? (options.quick ? 300 : 1500)),
    settleMs: options.quick ? 50 : 200,
    warmUpMs: options.quick ? 200 : 700,
    ttl: 10_000,
  }
  const chosen = choose(options.only?.split(','))
  if (!redisVersion())
    throw new Error('the bench needs `redis-server` on the PATH (Debian: apt-get install redis-server)')
  installPeers()
  const machine = describeMachine()

  const servers = await startServers()
  try {
    const started = await Promise.all(chosen.map((contender) => startChild(contender, servers.nodes, settings.ttl)))
    const children = started.filter(({ failed }) => !failed)
    const absent = new Map(
      started.filter(({ failed }) => failed).map(({ contender, failed }) => [contender.id, failed]),
    )
    if (absent.has(OURS)) throw new Error(`quorlock cannot be loaded (\`npm run build\` first?): ${absent.get(OURS)}`)
    for (const [id, reason] of absent) console.log(`not measured: ${id} (${reason})`)

    const results = await measureAll(children, { depths: DEPTHS, ...settings, onWindow: progress(children, settings) })
    await Promise.all(children.map((child) => child.close()))
    await publish({ results, depths: DEPTHS, settings, absent, machine })
  } finally {
    servers.close()
  }
}

async function publish(run) {
  for (const depth of DEPTHS) console.log(`\n${depth} in flight\n${textTable(rowsOf(run.results, depth))}`)
  if (options.only) return
  console.log('\nTargets')
  for (const { text, ratio, reached } of checkTargets(run.results)) {
    console.log(`  ${reached ? 'yes' : 'no '}  ${text}: ${times(ratio)}`)
  }
  if (options.quick) return
  writeResults(run)
  writeChart(run)
  console.log('\nwritten: benches/RESULTS.md, docs/bench.svg')
}

function choose(ids) {
  for (const id of ids ?? []) {
    if (!contenders.some((contender) => contender.id === id))
      throw new Error(`no contender is called ${JSON.stringify(id)}`)
  }
  return ids ? contenders.filter(({ id }) => ids.includes(id)) : contenders
}

function count(text) {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1)
    throw new RangeError(`a whole number of at least 1 is needed, not ${text}`)
  return number
}

// One peer declares Node >= 22 and runs on 20 all the same, so engines must not stop the installation.
function installPeers() {
  if (existsSync(new URL('./node_modules', import.meta.url))) return
  console.log('installing the peers (npm ci in benches/)')
  execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--engine-strict=false'], {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
}

function progress(children, { rounds }) {
  const total = children.length * DEPTHS.length * rounds
  let done = 0
  return ({ round, depth, contender, figures }) => {
    done++
    const line = `${done}/${total}  round ${round}, ${depth} in flight, ${contender.label}: ${Math.round(figures.cyclesPerSecond)} cycles/s`
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${done === total ? '' : line}`)
    else process.stderr.write(`${line}\n`)
  }
}
