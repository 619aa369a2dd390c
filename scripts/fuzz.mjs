// Wild servers, addresses and options, for as long as is asked for: `npm run fuzz -- --minutes 30` gives each target 30
// minutes, `--seed 7` begins with that case. A failure prints what has it again.

import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { runCommand } from './support/command.mjs'

const { values: options } = parseArgs({
  options: { minutes: { type: 'string', default: '30' }, seed: { type: 'string' } },
})
const minutes = Number(options.minutes)
const first = options.seed === undefined ? randomInt(1, 2 ** 30) : Number(options.seed)
if (!(minutes > 0) || !Number.isSafeInteger(first)) throw new Error('--minutes is a number, --seed an integer')

const rust = (name, cases) => ({
  name,
  cases,
  command: ['cargo', 'test', '--quiet', '--no-default-features', '--lib', `node::redis::fuzz::${name}`],
})
// So many cases at a time as take some seconds.
const targets = [
  rust('links', 20_000),
  rust('watchers', 10_000),
  rust('values', 100_000),
  { name: 'options', cases: 50_000, command: [process.execPath, '--test', '__test__/unit/wild.test.js'] },
]

for (const { name, cases, command } of targets) {
  const [program, ...args] = command
  // Built before the time begins.
  if (program === 'cargo') await runCommand(program, ['test', '--no-default-features', '--lib', '--no-run'])
  const end = performance.now() + minutes * 60_000
  let seed = first
  while (performance.now() < end && !process.exitCode) {
    const env = { QUORLOCK_FUZZ_SEED: String(seed), QUORLOCK_FUZZ_CASES: String(cases) }
    const { code, output } = await runCommand(program, args, { env })
    if (code !== 0) {
      console.log(output)
      process.exitCode = 1
    }
    seed += cases
  }
  console.log(` ${process.exitCode ? '✖' : '✔'} ${name}: seeds ${first} to ${seed - 1}`)
  if (process.exitCode) break
}
