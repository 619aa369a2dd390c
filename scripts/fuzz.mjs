// Wild servers, addresses and options, for as long as is asked for: `npm run fuzz -- --minutes 30` gives each target 30
// minutes, `--seed 7` begins with that case: a seed draws the same cases every time, and how many of them are reached is a
// matter of the machine. `--target values` runs that target only; else two run at once. A failure prints what has it again.

import { randomInt } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { runCommand } from './support/command.mjs'

const targetsAtOnce = 2

const { values: options } = parseArgs({
  options: { minutes: { type: 'string', default: '30' }, seed: { type: 'string' }, target: { type: 'string' } },
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
  rust('links', 10_000),
  rust('watchers', 5_000),
  rust('values', 50_000),
  { name: 'options', cases: 10_000, command: [process.execPath, '--test', '__test__/unit/wild.test.js'] },
]
const chosen = targets.filter(({ name }) => options.target === undefined || name === options.target)
if (chosen.length === 0) throw new Error(`--target must be one of ${targets.map(({ name }) => name).join(', ')}`)

// Built before the time begins.
await runCommand('cargo', ['test', '--no-default-features', '--lib', '--no-run'])
const waiting = [...chosen]
const lanes = Array.from({ length: Math.min(targetsAtOnce, availableParallelism()) }, async () => {
  while (waiting.length > 0 && !process.exitCode) await run(waiting.shift())
})
await Promise.all(lanes)

/** The cases from the first on, until the time is over. */
async function run({ name, cases, command: [program, ...args] }) {
  const end = performance.now() + minutes * 60_000
  let seed = first
  let failed = false
  while (performance.now() < end && !process.exitCode) {
    const env = { QUORLOCK_FUZZ_SEED: String(seed), QUORLOCK_FUZZ_CASES: String(cases) }
    const { code, output } = await runCommand(program, args, { env })
    if (code !== 0) {
      console.log(output)
      failed = true
      process.exitCode = 1
    }
    seed += cases
  }
  console.log(` ${failed ? '✖' : '✔'} ${name}: seeds ${first} to ${seed - 1}`)
}
