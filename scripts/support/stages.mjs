// Runs named stages one after the other, stops at the first that fails, prints how long each took.

import { styleText } from 'node:util'
import { runCommand } from './command.mjs'

/** Thrown by a stage that knows what the reader should do; printed without a stack. */
export class StageError extends Error {}

/**
 * A stage is `{ name, command: [program, ...args], env?, timeoutMs? }` or `{ name, run }`.
 * Returns the exit code. `stream` shows output as it comes; otherwise only that of the failing stage is shown.
 */
export async function runStages(stages, { stream = false } = {}) {
  const done = []
  const started = performance.now()
  let failed = false

  for (const stage of stages) {
    const start = performance.now()
    if (stream) process.stdout.write(`\n${bold(`== ${stage.name}`)}\n`)
    else if (process.stdout.isTTY) process.stdout.write(`   ${stage.name} ...`)
    const { ok, output } = await runStage(stage, stream)
    const ms = performance.now() - start
    done.push({ name: stage.name, ok, ms })
    if (!stream) process.stdout.write(`${process.stdout.isTTY ? '\r' : ''}${line(done.at(-1))}\n`)
    if (!ok) {
      failed = true
      process.stdout.write(`\n${output}\n`)
      break
    }
  }

  process.stdout.write(`\n${bold('Summary')}\n`)
  for (const entry of done) process.stdout.write(`${line(entry)}\n`)
  for (const stage of stages.slice(done.length)) process.stdout.write(` - ${stage.name.padEnd(28)}not run\n`)
  const verdict = failed ? styleText('red', 'failed') : styleText('green', 'passed')
  process.stdout.write(`${verdict} in ${seconds(performance.now() - started)}\n`)
  return failed ? 1 : 0
}

async function runStage(stage, stream) {
  if (stage.run) {
    try {
      return { ok: true, output: (await stage.run()) ?? '' }
    } catch (error) {
      return { ok: false, output: error instanceof StageError ? error.message : error.stack }
    }
  }
  const [program, ...args] = stage.command
  const { code, output, timedOut } = await runCommand(program, args, {
    env: stage.env,
    stream,
    timeoutMs: stage.timeoutMs,
  })
  const verdict = timedOut ? `ended after ${seconds(stage.timeoutMs)}, its time limit` : `exit code ${code}`
  return { ok: code === 0 && !timedOut, output: `${output}\n${stage.name}: ${verdict} (${stage.command.join(' ')})` }
}

function line({ name, ok, ms }) {
  return ` ${ok ? styleText('green', '✔') : styleText('red', '✖')} ${name.padEnd(28)}${seconds(ms).padStart(8)}`
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`
}

function bold(text) {
  return styleText('bold', text)
}
