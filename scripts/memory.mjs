// `npm run test:memory`: the addon under AddressSanitizer, with worker threads that are terminated at random, on Linux x64.
// rustc of the stable channel has the sanitizer behind RUSTC_BOOTSTRAP; the standard library is not rebuilt for it. The
// allocator is the system's, whose memory the sanitizer knows. Leaks are not looked for: Node.js has its own.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from './support/addon.mjs'
import { runCommand } from './support/command.mjs'
import { ensureCompiler, ensureNode, ensurePackages, ensureRedis, ensureRust } from './support/prepare.mjs'
import { runStages, StageError } from './support/stages.mjs'

const minuteMs = 60_000
const target = 'x86_64-unknown-linux-gnu'
const addon = join(root, 'target', 'memory', target, 'debug', 'libquorlock.so')
// Not exit.test.js: it is about how soon a process ends, and this one is several times slower.
const files = [
  ...['workers', 'watchers', 'instances', 'collection', 'modules', 'exceptions'].map((name) => `lifecycle/${name}`),
  'contract/one-redis',
  'faults/bytes',
]

const { values: options } = parseArgs({
  options: { terminations: { type: 'string', default: '400' }, seed: { type: 'string', default: '7' } },
})

/** The compiler's own runtime is of the same interface, and is a library that can be loaded before Node.js. */
async function runtime() {
  const { output } = await runCommand('cc', ['-print-file-name=libasan.so'])
  const path = output.trim()
  if (!existsSync(path)) throw new StageError('the sanitizer was not found: install gcc, which brings libasan.so')
  return path
}

async function build() {
  const { code, output } = await runCommand(
    'cargo',
    ['build', '--lib', '--target', target, '--target-dir', 'target/memory'],
    { env: { RUSTC_BOOTSTRAP: '1', RUSTFLAGS: '-Zsanitizer=address --cfg checked_memory -Cforce-frame-pointers=yes' } },
  )
  if (code !== 0) throw new StageError(output)
}

async function test() {
  const { code, output, timedOut } = await runCommand(
    process.execPath,
    ['--test', '--test-concurrency=1', '--test-reporter=spec', ...files.map((name) => `__test__/${name}.test.js`)],
    {
      timeoutMs: 20 * minuteMs,
      env: {
        NODE_OPTIONS: `--require ${join(root, 'scripts', 'support', 'checked.cjs')}`,
        QUORLOCK_CHECKED_ADDON: addon,
        QUORLOCK_TEST_TERMINATIONS: options.terminations,
        QUORLOCK_TEST_SEED: options.seed,
        LD_PRELOAD: await runtime(),
        ASAN_OPTIONS: 'detect_leaks=0:halt_on_error=1:exitcode=99',
      },
    },
  )
  if (code !== 0 || timedOut || output.includes('AddressSanitizer')) throw new StageError(output)
}

process.exitCode = await runStages([
  { name: 'node', run: ensureNode },
  { name: 'rust', run: ensureRust },
  { name: 'compiler', run: ensureCompiler },
  { name: 'redis-server', run: ensureRedis },
  { name: 'npm ci', run: ensurePackages },
  // What is loaded is found by its name.
  { name: 'build', command: ['npm', 'run', '--silent', 'build', '--', '--if-stale'], timeoutMs: 20 * minuteMs },
  { name: 'build, checked', run: build },
  { name: 'tests, checked', run: test },
])
