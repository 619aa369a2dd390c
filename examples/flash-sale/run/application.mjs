// The application as a child process.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const START_LIMIT_MS = 120_000
const STOP_LIMIT_MS = 30_000
const OUTPUT_KEPT = 8000 // characters, for the message of one that fails

export class Application {
  #child
  #env
  #show
  #output = ''
  #kill = () => this.#child?.kill('SIGKILL')

  /** `show`: its output goes to this terminal. */
  constructor(env, { show = false } = {}) {
    this.#env = env
    this.#show = show
    process.on('exit', this.#kill)
  }

  get pid() {
    return this.#child.pid
  }

  get url() {
    return `http://127.0.0.1:${this.port}`
  }

  /** What it has printed last. */
  get output() {
    return this.#output
  }

  /** Resolves when it listens. */
  async start() {
    const child = fork(MAIN, {
      env: { ...process.env, PORT: '0', ...this.#env },
      stdio: this.#show ? 'inherit' : ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    this.#child = child
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk) => {
        this.#output = (this.#output + chunk).slice(-OUTPUT_KEPT)
      })
    }
    this.port = await new Promise((resolve, reject) => {
      const late = () => reject(new Error(`the application did not start within ${START_LIMIT_MS} ms`))
      const limit = setTimeout(late, START_LIMIT_MS)
      child.once('message', ({ port }) => {
        clearTimeout(limit)
        resolve(port)
      })
      child.once('exit', (code, signal) => {
        clearTimeout(limit)
        reject(new Error(`the application ended (${code ?? signal}):\n${this.#output}`))
      })
    })
  }

  /** SIGKILL: nothing is finished, nothing given back. Resolves as stop() does. */
  async kill() {
    const ended = this.#ended()
    this.#kill()
    return ended
  }

  /** SIGTERM: it finishes what it has begun. Resolves with the exit code, or the signal that ended it. */
  async stop() {
    const ended = this.#ended()
    this.#child?.kill('SIGTERM')
    const limit = setTimeout(this.#kill, STOP_LIMIT_MS)
    try {
      return await ended
    } finally {
      clearTimeout(limit)
    }
  }

  async close() {
    await this.stop()
    process.off('exit', this.#kill)
  }

  async #ended() {
    const child = this.#child
    if (child && child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    return child?.exitCode ?? child?.signalCode
  }
}
