// `npm test`: everything that belongs in CI, from a fresh clone, in the order in which a mistake is cheapest to find.
// `--full` adds the long runs, `--verbose` shows all output as it comes (always so in CI, where a hang must be seen).
// Only Node's own modules here and in ./support: this file installs the others.

import { parseArgs } from 'node:util'
import { folders } from './support/folders.mjs'
import {
  ensureChromium,
  ensureCompiler,
  ensureMariadb,
  ensureNode,
  ensureOpenssl,
  ensurePackages,
  ensurePgbouncer,
  ensurePostgres,
  ensureRedis,
  ensureRust,
  ensureRustLints,
} from './support/prepare.mjs'
import { runStages } from './support/stages.mjs'

const minuteMs = 60_000
const { values: options } = parseArgs({
  options: { full: { type: 'boolean', default: false }, verbose: { type: 'boolean', default: false } },
})
const stream = options.verbose || Boolean(process.env.CI)

const script = (name, limitMinutes, ...args) => ({
  name,
  command: ['npm', 'run', '--silent', name, ...(args.length > 0 ? ['--', ...args] : [])],
  timeoutMs: limitMinutes * minuteMs,
})

const prepare = [
  { name: 'node', run: ensureNode },
  { name: 'rust', run: ensureRust },
  { name: 'rustfmt, clippy', run: ensureRustLints },
  { name: 'compiler', run: ensureCompiler },
  { name: 'openssl', run: ensureOpenssl },
  { name: 'redis-server', run: ensureRedis },
  { name: 'postgres', run: ensurePostgres },
  { name: 'pgbouncer', run: ensurePgbouncer },
  { name: 'mariadb', run: ensureMariadb },
  { name: 'chromium', run: ensureChromium },
  ...folders.map((folder) => ({ name: `npm ci, ${folder}`, run: () => ensurePackages(folder, { stream }) })),
]

const checks = [
  script('build', 20),
  script('lint', 20),
  script('types', 5),
  script('test:rust', 20),
  // The same cases every time: those of a random seed are for the long runs.
  script('fuzz', 10, '--minutes', '1', '--seed', '1'),
  { ...script('test:js', 20), env: options.full ? { QUORLOCK_SOAK_SECONDS: '60' } : {} },
  script('test:io-thread', 20),
  script('test:fencing', 10),
  script('test:testing', 5),
  script('test:recipes', 10),
  script('test:metrics', 10),
  script('test:fallback', 10),
  script('test:package', 10),
  script('test:nestjs', 10),
  script('test:flash-sale', 15),
  script('sim', 15),
  script('test:simulator', 10),
  { ...script('sim', 10, '--search', 'quick'), name: 'search' },
  script('mutants', 10),
]

const long = [
  { ...script('fuzz', 10, '--minutes', '1'), name: 'fuzz, any seed' },
  script('test:faults', 20),
  { ...script('sim', 20, '--seeds', '100000', '--first', 'any'), name: 'sim, any seeds' },
  { ...script('sim', 60, '--search', 'full'), name: 'search, full' },
  script('bench', 20, '--quick'),
  script('demo', 10),
  // As large as it is meant to be: 1,500 buyers, 100 items, three processes. A smaller one is among the tests.
  script('example:flash-sale', 10, '--load'),
]

process.exitCode = await runStages([...prepare, ...checks, ...(options.full ? long : [])], { stream })
