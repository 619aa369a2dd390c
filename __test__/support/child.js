'use strict'

// A worker script in a process of its own, with messages in both directions and its end as a promise. Children are
// killed when this process ends.

const { fork } = require('node:child_process')
const { once } = require('node:events')
const { until } = require('./until')

const running = new Set()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

class Child {
  #messages = []
  #over = false

  /** Options: `args` for the script, `execArgv` for node, `env` (added to ours). */
  constructor(script, { args = [], execArgv = [], env = {} } = {}) {
    this.stdout = ''
    this.stderr = ''
    this.process = fork(script, args.map(String), {
      execArgv,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    running.add(this.process)
    this.process.on('message', (message) => this.#messages.push(message))
    this.process.stdout.on('data', (chunk) => {
      this.stdout += chunk
    })
    this.process.stderr.on('data', (chunk) => {
      this.stderr += chunk
    })
    // 'close' comes after the last byte of both pipes, 'exit' may come before it.
    this.ended = once(this.process, 'close').then(([code, signal]) => {
      this.#over = true
      running.delete(this.process)
      return { code, signal, stdout: this.stdout, stderr: this.stderr }
    })
  }

  get pid() {
    return this.process.pid
  }

  send(message) {
    this.process.send(message)
  }

  /** The first message not yet taken for which `matches` holds (default: any). */
  async message(matches = () => true, deadline = 20_000) {
    const find = () => this.#messages.findIndex(matches)
    await until(() => find() >= 0 || this.#over, { deadline, every: 2, what: 'a message of the child' })
    if (find() < 0) throw new Error(`the child ended instead of saying so: ${this.stderr}`)
    return this.#messages.splice(find(), 1)[0]
  }

  kill(signal = 'SIGKILL') {
    this.process.kill(signal)
  }

  /** Kills what is left and waits for the end. */
  async stop() {
    this.process.kill('SIGKILL')
    await this.ended
  }
}

module.exports = { Child }
