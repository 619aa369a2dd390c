// Runs the test files of the named folders of __test__ with node --test: `node scripts/node-tests.mjs faults interop`.
// Files are listed here because node --test knows no patterns in Node 20 and takes no folders from Node 22 on.

import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './support/addon.mjs'
import { runCommand } from './support/command.mjs'

// Each file starts servers of its own; more at once only makes their deadlines tight on a small machine.
const filesAtOnce = 2
// For one file, soak included: a test that hangs must end the run, not the patience of CI.
const fileLimitMs = 5 * 60_000

const modes = {
  // No event loop watches the sockets, as where the runtime does not offer it.
  '--io-thread': { QUORLOCK_IO_THREAD_ONLY: '1' },
  // Whatever instance a test opens has fencing.
  '--fencing': { QUORLOCK_TEST_FENCING: '1' },
}

const mode = modes[process.argv[2]]
const names = process.argv.slice(mode ? 3 : 2)
const files = names.flatMap((name) => {
  const found = testFiles(join('__test__', name))
  // An empty folder is a mistake in a script or a suite that got lost, never a pass.
  if (found.length === 0) throw new Error(`no test files in __test__/${name}`)
  return found
})
if (files.length === 0) throw new Error('name at least one folder of __test__')

const { code } = await runCommand(
  process.execPath,
  ['--test', `--test-concurrency=${filesAtOnce}`, `--test-timeout=${fileLimitMs}`, '--test-reporter=spec', ...files],
  { stream: true, env: mode ?? {} },
)
process.exitCode = code

function testFiles(path) {
  if (!statSync(join(root, path)).isDirectory()) return [path]
  return readdirSync(join(root, path), { recursive: true })
    .filter((name) => /\.test\.[cm]?js$/.test(name))
    .sort()
    .map((name) => join(path, name))
}
