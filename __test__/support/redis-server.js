'use strict'

// One real redis-server on a free port, in a temporary folder of its own. It is always stopped again: by stop(), when
// this process exits, and on SIGINT and SIGTERM.

const { spawn, spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { once } = require('node:events')
const { RespClient } = require('./resp')
const { freePort } = require('./ports')
const { until } = require('./until')

const BINARY = process.env.QUORLOCK_TEST_REDIS_SERVER || 'redis-server'
const running = new Set()

function killAll() {
  for (const server of running) server.destroy()
}
process.on('exit', killAll)
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    killAll()
    process.kill(process.pid, signal)
  })
}

class RedisServer {
  #child
  #admin
  #options
  #isWanted = false

  constructor(options) {
    this.#options = options
    this.port = options.port
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'quorlock-redis-'))
    this.socket = path.join(this.dir, 'redis.sock')
  }

  /**
   * Options: `port`, `appendonly`, `password` (requirepass), `aclfile` (its text), `maxmemory`, `replicaOf` (a port),
   * `tls` (`{ ca, cert, key, clientAuth }`, paths; then `plainPort` may keep a plaintext port), `env` (added to ours)
   * and `args` (further words of the command line). DEBUG and CONFIG SET dir are always allowed.
   */
  static async start(options = {}) {
    let failure
    for (let tries = 0; tries < 3; tries++) {
      const server = new RedisServer({ ...options, port: options.port ?? (await freePort()) })
      try {
        await server.launch()
        return server
      } catch (error) {
        server.destroy()
        failure = error
        if (options.port) break
      }
    }
    throw failure
  }

  get url() {
    return `redis://127.0.0.1:${this.port}`
  }

  get pid() {
    return this.#child?.pid
  }

  #args(extra) {
    const { appendonly, password, aclfile, maxmemory, replicaOf, tls, args = [] } = this.#options
    const words = [
      ...['--bind', '127.0.0.1', '--dir', this.dir, '--save', '', '--daemonize', 'no'],
      ...['--unixsocket', this.socket, '--appendonly', appendonly ? 'yes' : 'no'],
    ]
    if (restrictsDebug()) words.push('--enable-debug-command', 'yes', '--enable-protected-configs', 'yes')
    if (tls) {
      words.push('--port', '0', '--tls-port', this.port, '--tls-ca-cert-file', tls.ca, '--tls-cert-file', tls.cert)
      words.push('--tls-key-file', tls.key, '--tls-auth-clients', tls.clientAuth ? 'yes' : 'no')
    } else {
      words.push('--port', this.port)
    }
    // Written before the reply, so that a killed server loses nothing; only a power cut would.
    if (appendonly) words.push('--appendfsync', 'everysec')
    if (password) words.push('--requirepass', password)
    if (aclfile) words.push('--aclfile', this.#write('users.acl', aclfile))
    if (maxmemory) words.push('--maxmemory', maxmemory, '--maxmemory-policy', 'noeviction')
    if (replicaOf) words.push('--replicaof', '127.0.0.1', replicaOf)
    return [...words, ...args, ...extra].map(String)
  }

  #write(name, text) {
    const file = path.join(this.dir, name)
    fs.writeFileSync(file, text)
    return file
  }

  /**
   * Starts the process and resolves once it answers PING. Also how a killed server comes back on the same port, with
   * `args` for this time. With `loading`, an answer that it still loads its data is enough.
   */
  async launch({ args = [], loading = false } = {}) {
    fs.mkdirSync(this.dir, { recursive: true })
    fs.rmSync(this.socket, { force: true })
    let output = ''
    const env = { ...process.env, ...this.#options.env }
    const child = spawn(BINARY, this.#args(args), { env, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    this.#isWanted = true
    running.add(this)
    const keep = (chunk) => {
      output = (output + chunk).slice(-4000)
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    let failure
    child.once('exit', (code, signal) => {
      // A server that ends by itself fails tests in ways that say nothing about it.
      if (this.#isWanted) console.error(`redis-server on port ${this.port} ended (${code ?? signal}):\n${output}`)
    })
    child.once('error', (error) => {
      failure = error
    })
    // Neither the process nor its pipes keep a test file alive that has nothing else to do.
    for (const handle of [child, child.stdout, child.stderr]) handle.unref()
    await until(
      async () => {
        if (failure) return true
        if (child.exitCode !== null) return true
        const answer = await this.command('PING').catch((error) => error.message)
        return answer === 'PONG' || (loading && answer.startsWith('LOADING'))
      },
      { deadline: 10_000, every: 3, what: `redis-server on port ${this.port} answers` },
    )
    if (failure) throw failure
    if (child.exitCode !== null) throw new Error(`redis-server ended with ${child.exitCode}:\n${output}`)
  }

  /** Sends a command over a connection of its own (the unix socket, past every proxy and TLS). */
  async command(...words) {
    let admin = await this.#connect()
    if (admin.closed) {
      this.#disconnect()
      admin = await this.#connect()
    }
    return admin.command(...words)
  }

  /** How often the server has executed the commands of these names (lower case) since its start or CONFIG RESETSTAT. */
  async calls(...names) {
    const text = await this.command('INFO', 'commandstats')
    return names.reduce(
      (sum, name) => sum + Number(text.match(new RegExp(`cmdstat_${name}:calls=(\\d+)`))?.[1] ?? 0),
      0,
    )
  }

  #connect() {
    this.#admin ??= RespClient.connect({ path: this.socket, password: this.#options.password }).then(
      (client) => client.unref(),
      (error) => {
        this.#admin = undefined
        throw error
      },
    )
    return this.#admin
  }

  #disconnect() {
    this.#admin?.then((client) => client.close()).catch(() => {})
    this.#admin = undefined
  }

  /** SIGSTOP: the kernel still accepts connections and data, nothing answers. */
  pause() {
    process.kill(this.pid, 'SIGSTOP')
  }

  /** SIGCONT. */
  resume() {
    process.kill(this.pid, 'SIGCONT')
  }

  /** Lets a snapshot fail, since the folder for it is gone: MISCONF is the answer to writes until `dir` is set again. */
  async failSnapshot() {
    const gone = path.join(this.dir, 'gone')
    fs.mkdirSync(gone)
    await this.command('CONFIG', 'SET', 'save', '3600 100000')
    await this.command('CONFIG', 'SET', 'dir', gone)
    fs.rmdirSync(gone)
    await this.command('BGSAVE')
    await until(async () => /rdb_last_bgsave_status:err/.test(await this.command('INFO', 'persistence')))
  }

  /** Takes that back. */
  async healSnapshot() {
    await this.command('CONFIG', 'SET', 'dir', this.dir)
    await this.command('CONFIG', 'SET', 'save', '')
  }

  /** SIGKILL, and waits until the process is gone. */
  async kill() {
    this.#isWanted = false
    this.#disconnect()
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    child.ref()
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }

  /** Kill and start on the same port. Without `appendonly` the node comes back empty. */
  async restart() {
    await this.kill()
    await this.launch()
  }

  /** Ends the server and removes its folder. */
  async stop() {
    await this.kill()
    this.destroy()
  }

  /** As stop(), without waiting: for the end of the process. */
  destroy() {
    this.#isWanted = false
    running.delete(this)
    this.#disconnect()
    this.#child?.kill('SIGKILL')
    fs.rmSync(this.dir, { recursive: true, force: true, maxRetries: 3 })
  }
}

let version
/** What `--version` says, asked once. A program that cannot be run says why when it is started. */
function versionLine() {
  version ??= spawnSync(BINARY, ['--version'], { encoding: 'utf8' }).stdout ?? ''
  return version
}

/** Whether DEBUG and protected settings have to be allowed: from Redis 7 on; an older server refuses the words. */
const restrictsDebug = () => !/Redis server v=[0-6]\./.test(versionLine())

/** Whether the server was built with TLS: only then does it get as far as looking for the certificate. */
function hasTls() {
  const args = ['--port', '0', '--tls-port', '1', '--tls-cert-file', path.join(os.devNull, 'none')]
  const { stdout, stderr } = spawnSync(BINARY, args, { encoding: 'utf8', timeout: 10_000 })
  return /certificate|configure TLS/i.test(`${stdout}${stderr}`)
}

module.exports = { RedisServer, hasTls }
