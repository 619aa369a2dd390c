// The simulator: builds it, and runs what is asked for.
//   npm run sim -- --seeds 20000 [--first 0] [--mutant Name]   histories, drawn from that many seeds; `--first any`: fresh ones
//   npm run sim -- --seed 4711 [--mutant Name]                 one of them: when it fails, its smallest plan and its trace
//   npm run sim -- --mutants [--seeds 20000] [--write]         every known mistake, until it is found
//   npm run sim -- --search quick|full [--write]               every history of two clients and three servers
//   npm run sim -- --search 'fenced observed acquires=1,1 restarts=1'   one scope: when it breaks a promise, the moves

import { spawn, spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from './support/addon.mjs'
import { runCommand } from './support/command.mjs'

const defaultSeeds = 20_000
const seedMax = 2 ** 53 - 1
const threads = String(availableParallelism())

const tables = {
  mutants: {
    begin: '<!-- mutants: written by npm run mutants -- --write -->',
    end: '<!-- end of mutants -->',
    head: ['mutant', 'what it does wrong', 'found by', 'seeds'],
    row: ([name, killer, seeds, text]) => [`\`${name}\``, text, killer, seeds],
  },
  search: {
    begin: '<!-- search: written by npm run sim -- --search full --write -->',
    end: '<!-- end of search -->',
    head: ['scope', 'states', 'moves', 'depth', 'seconds', 'result'],
    row: ([words, states, moves, depth, seconds, result]) => [
      `\`${words.replace(/ breaks$/, '')}\``,
      Number(states).toLocaleString('en'),
      Number(moves).toLocaleString('en'),
      depth,
      Math.max(1, Math.ceil(seconds)),
      result,
    ],
  },
}

const { values: options } = parseArgs({
  options: {
    seeds: { type: 'string', default: String(defaultSeeds) },
    first: { type: 'string', default: '0' },
    seed: { type: 'string' },
    mutant: { type: 'string' },
    mutants: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    search: { type: 'string' },
  },
})

const built = await runCommand(
  'cargo',
  ['build', '--quiet', '--profile', 'sim', '--no-default-features', '--features', 'sim', '--bin', 'simulator'],
  { stream: true, env: process.env.CI ? { CARGO_TERM_COLOR: 'never' } : {} },
)
if (built.code !== 0) process.exit(built.code)

const { code, output } = await simulate(words())
if (options.write && code === 0) writeTable(options.mutants ? tables.mutants : tables.search, output)
process.exitCode = code

function words() {
  if (options.write && !options.mutants && options.search !== 'full') {
    return refuse('write', 'given', 'with --mutants or --search full')
  }
  if (options.search !== undefined) return ['search', options.search, threads]
  const mutant = options.mutant ?? '-'
  if (options.mutants) return ['mutants', number('seeds'), threads]
  if (options.seed !== undefined) return ['seed', number('seed'), mutant]
  return ['seeds', first(), number('seeds'), threads, mutant]
}

function first() {
  if (options.first !== 'any') return number('first')
  const drawn = String(randomInt(2 ** 47))
  process.stdout.write(`from seed ${drawn} on\n`)
  return drawn
}

function number(name) {
  const text = options[name]
  const value = Number(text)
  if (/^\d+$/.test(text) && value <= seedMax) return text
  return refuse(name, text, `a whole number from 0 to ${seedMax}`)
}

function refuse(name, given, wanted) {
  process.stderr.write(`--${name} must be ${wanted}, not ${given}\n`)
  process.exit(2)
}

/** What a failing seed is a seed of. */
function commit() {
  const { status, stdout } = spawnSync('git', ['describe', '--always', '--abbrev=12', '--dirty=-changed'], {
    cwd: root,
    encoding: 'utf8',
  })
  return status === 0 ? stdout.trim() : 'no commit'
}

/** Shows what the simulator says as it says it, and keeps it. */
function simulate(args) {
  const env = { ...process.env, QUORLOCK_COMMIT: commit() }
  const child = spawn(join(root, 'target', 'sim', 'simulator'), args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text
    process.stdout.write(text)
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: code ?? 1, output }))
  })
}

/** Puts the table of mistakes, or that of scopes, where the reliability page has it. */
function writeTable({ begin, end, head, row }, output) {
  const path = join(root, 'docs', 'RELIABILITY.md')
  const lines = output.trim().split('\n')
  const rows = [head, ...lines.map((line) => row(line.split('\t')))].map((cells) => `| ${cells.join(' | ')} |`)
  const table = [rows[0], `|${'---|'.repeat(head.length)}`, ...rows.slice(1)].join('\n')
  const page = readFileSync(path, 'utf8')
  const [from, to] = [page.indexOf(begin), page.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`docs/RELIABILITY.md has no place for the table: ${begin}`)
  writeFileSync(path, `${page.slice(0, from)}${begin}\n\n${table}\n\n${page.slice(to)}`)
}
