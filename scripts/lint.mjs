// All checks that need no running code. Every one runs, so that one pass shows every complaint.

import { styleText } from 'node:util'
import { runCommand } from './support/command.mjs'

const checks = [
  ['JS, TS, JSON', 'npx', ['--no-install', 'biome', 'check', '--error-on-warnings', '.']],
  ['absences', process.execPath, ['scripts/absences.mjs']],
  ['lock files', process.execPath, ['scripts/locks.mjs']],
  ['cargo fmt', 'cargo', ['fmt', '--check']],
  ['licences', process.execPath, ['scripts/licences.mjs', '--check']],
  ['clippy', 'cargo', ['clippy', '--all-targets', '--', '-D', 'warnings']],
  ['clippy, no N-API', 'cargo', ['clippy', '--all-targets', '--no-default-features', '--', '-D', 'warnings']],
]

for (const [name, program, args] of checks) {
  const { code, output } = await runCommand(program, args)
  const mark = code === 0 ? styleText('green', '✔') : styleText('red', '✖')
  // a check that passes may still have something to report
  const report = code !== 0 || program === process.execPath ? output.trimEnd() : ''
  console.log(` ${mark} ${name}${report && `\n${report}`}`)
  if (code !== 0) process.exitCode = 1
}
