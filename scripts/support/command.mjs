// Runs one program. With a time limit it gets a process group of its own, so that the limit ends its children too.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { root } from './addon.mjs'

const killGraceMs = 5000

/**
 * Resolves with `{ code, output, timedOut }` and never rejects: a program that cannot be started is code 127.
 * With `stream` the output goes to this terminal and `output` is empty; with `errors` only what goes to stderr does.
 */
export async function runCommand(command, args, options = {}) {
  const { cwd = root, env = {}, stream = false, errors = stream, timeoutMs = 0 } = options
  const windows = process.platform === 'win32'
  const grouped = timeoutMs > 0 && !windows
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', stream ? 'inherit' : 'pipe', errors ? 'inherit' : 'pipe'],
    detached: grouped,
    // npm and npx are .cmd files there
    shell: windows,
  })
  const chunks = []
  child.stdout?.on('data', (chunk) => chunks.push(chunk))
  child.stderr?.on('data', (chunk) => chunks.push(chunk))

  const end = (signal) => {
    if (!grouped) return void child.kill(signal)
    try {
      process.kill(-child.pid, signal)
    } catch (error) {
      // the group ended between the decision and the signal
      if (error.code !== 'ESRCH') throw error
    }
  }
  let interrupted = false
  const onSignal = (signal) => {
    interrupted = true
    // a child of our own group has Ctrl-C from the terminal already
    if (grouped || signal !== 'SIGINT') end(signal)
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)

  let timedOut = false
  let grace
  const onLimit = () => {
    timedOut = true
    end('SIGTERM')
    grace = setTimeout(end, killGraceMs, 'SIGKILL')
  }
  const limit = timeoutMs > 0 ? setTimeout(onLimit, timeoutMs) : undefined

  try {
    const [code] = await once(child, 'close')
    if (interrupted) process.exit(130)
    return { code: code ?? 1, output: Buffer.concat(chunks).toString(), timedOut }
  } catch (error) {
    return { code: 127, output: `${command}: ${error.message}\n`, timedOut: false }
  } finally {
    clearTimeout(limit)
    clearTimeout(grace)
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
  }
}
