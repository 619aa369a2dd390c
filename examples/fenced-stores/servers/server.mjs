// One server program as a child process, with a temporary folder of its own. It is always stopped again: by stop(), and
// when this process exits (who may be ended by a signal turns that into an exit).

import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findProgram } from '../../../scripts/support/programs.mjs'

const START_LIMIT_MS = 60_000
const OUTPUT_KEPT = 4000 // characters, for the message of a server that does not start
const READY = /ready (to accept|for) connections/i // Redis and Postgres say the one, MariaDB the other

export class Server {
  #owner = unprivileged()
  #children = new Set()
  #stopSignal
  #end = () => this.#destroy()

  constructor(name, stopSignal) {
    this.name = name
    this.#stopSignal = stopSignal
    // Nobody else can enter it, so that nobody else reaches the socket inside.
    this.folder = mkdtempSync(join(tmpdir(), `quorlock-${name}-`))
    process.on('exit', this.#end)
    if (this.#owner) chownSync(this.folder, this.#owner.uid, this.#owner.gid)
  }

  /**
   * Calls `launch` with a new Server; resolves with `{ url, stop() }`, of which `launch` returns the url. What has been
   * started is stopped where that fails.
   */
  static async start(name, launch, { stopSignal = 'SIGKILL' } = {}) {
    const server = new Server(name, stopSignal)
    try {
      return { url: await launch(server), stop: () => server.stop() }
    } catch (error) {
      await server.stop()
      throw error
    }
  }

  path(name) {
    return join(this.folder, name)
  }

  /** Runs a program to its end. */
  async run(program, args) {
    const { child, tail } = this.#spawn(program, args)
    const [code, signal] = await once(child, 'close')
    if (code !== 0) throw new Error(`${program} ended with ${code ?? signal}:\n${tail()}`)
  }

  /** Starts a program that stays, and waits until it says that it is `isReady`. */
  async serve(program, args, isReady = READY) {
    const { child, tail } = this.#spawn(program, args)
    const { promise: ready, resolve, reject } = withResolvers()
    const look = () => isReady.test(tail()) && resolve()
    child.stdout.on('data', look)
    child.stderr.on('data', look)
    child.once('error', reject)
    child.once('close', (code, signal) => reject(new Error(`${program} ended with ${code ?? signal}:\n${tail()}`)))
    const late = () => reject(new Error(`${program} was not ready within ${START_LIMIT_MS} ms:\n${tail()}`))
    const limit = setTimeout(late, START_LIMIT_MS)
    await ready.finally(() => clearTimeout(limit))
  }

  #spawn(program, args) {
    const path = findProgram(program)
    if (!path) throw new Error(`${program} was not found: install ${this.name} with your package manager`)
    // The folder this process is in may be closed to the other user.
    const child = spawn(path, args, { ...this.#owner, cwd: this.folder, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#children.add(child)
    child.once('close', () => this.#children.delete(child))
    child.once('error', () => this.#children.delete(child))
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output = (output + chunk).slice(-OUTPUT_KEPT)
      })
    }
    return { child, tail: () => output.trim() }
  }

  async stop() {
    await Promise.all(
      [...this.#children].map((child) => {
        const ended = once(child, 'close')
        child.kill(this.#stopSignal)
        return ended
      }),
    )
    this.#destroy()
  }

  /** What can be done while the process exits: the children are told to, and not waited for. */
  #destroy() {
    process.off('exit', this.#end)
    for (const child of this.#children) child.kill(this.#stopSignal)
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
  }
}

/** Databases refuse to run as root: then they run as nobody. */
function unprivileged() {
  if (process.getuid?.() !== 0) return undefined
  const id = (option) => Number(execFileSync('id', [option, 'nobody'], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

function withResolvers() {
  const settle = {}
  const promise = new Promise((resolve, reject) => Object.assign(settle, { resolve, reject }))
  return { promise, ...settle }
}
