// All checks that need no running code. Every one runs, so that one pass shows every complaint.

import { styleText } from 'node:util'
import { runCommand } from './support/command.mjs'

const checks = {
  'JS, TS, JSON, YAML': 'npx --no-install biome check --error-on-warnings .',
  absences: 'node scripts/absences.mjs',
  'lock files': 'node scripts/locks.mjs',
  licences: 'node scripts/licences.mjs --check',
  'cargo fmt': 'cargo fmt --check',
  clippy: 'cargo clippy -- -D warnings',
  // With the tests. Code that only the binding calls is unused here; that it is used there, the line above checks.
  'clippy, simulator': 'cargo clippy --no-default-features --features sim --bin simulator -- -D warnings',
  'clippy, no N-API': 'cargo clippy --all-targets --no-default-features -- -D warnings -A dead_code -A unused_imports',
}

for (const [name, command] of Object.entries(checks)) {
  const [program, ...args] = command.split(' ')
  const { code, output } = await runCommand(program, args)
  const mark = code === 0 ? styleText('green', '✔') : styleText('red', '✖')
  // our own checks may have something to note also when they pass
  const report = code !== 0 || program === 'node' ? output.trimEnd() : ''
  console.log(` ${mark} ${name}${report && `\n${report}`}`)
  if (code !== 0) process.exitCode = 1
}
