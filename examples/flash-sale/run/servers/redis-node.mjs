// A real Redis on a port of its own, without persistence, that can be killed, started again empty, stopped and continued.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { findProgram } from '../../../../scripts/support/programs.mjs'
import { freePort, HOST } from './ports.mjs'

const START_LIMIT_MS = 60_000
const POLL_MS = 20

export class RedisNode {
  #child
  #folder = mkdtempSync(join(tmpdir(), 'quorlock-flash-sale-redis-'))
  #end = () => this.#destroy()

  static async start() {
    const node = new RedisNode()
    process.on('exit', node.#end)
    try {
      node.port = await freePort()
      await node.launch()
      return node
    } catch (error) {
      await node.close()
      throw error
    }
  }

  get url() {
    return `redis://${HOST}:${this.port}`
  }

  /** Also how a killed node comes back: empty. */
  async launch() {
    const program = findProgram('redis-server')
    if (!program) throw new Error('redis-server was not found: install it with your package manager')
    const words = ['--port', this.port, '--bind', HOST, '--dir', this.#folder, '--save', '', '--appendonly', 'no']
    const child = spawn(program, words.map(String), { stdio: 'ignore' })
    this.#child = child
    await once(child, 'spawn')
    const limit = performance.now() + START_LIMIT_MS
    while (!(await accepts(this.port))) {
      if (child.exitCode !== null) throw new Error(`redis-server on port ${this.port} ended with ${child.exitCode}`)
      if (performance.now() > limit) throw new Error(`redis-server on port ${this.port} did not start in time`)
      await sleep(POLL_MS)
    }
  }

  async kill() {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }

  /** SIGSTOP: it accepts connections and answers nothing. */
  suspend() {
    this.#child.kill('SIGSTOP')
  }

  continue() {
    this.#child.kill('SIGCONT')
  }

  async close() {
    await this.kill()
    this.#destroy()
  }

  #destroy() {
    process.off('exit', this.#end)
    this.#child?.kill('SIGKILL')
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect(port, HOST)
    const settle = (answer) => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => settle(true))
    socket.once('error', () => settle(false))
  })
}
