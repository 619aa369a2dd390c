// Three real, empty Redis nodes on free ports, with a temporary folder each, stopped in every case:
// on close(), when this process exits, and on SIGINT or SIGTERM (the entry turns those into an exit).

import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const HOST = '127.0.0.1'
const START_DEADLINE_MS = 10_000

/** The version of the `redis-server` on the PATH, or null when there is none. */
export function redisVersion() {
  try {
    return /v=(\S+)/.exec(execFileSync('redis-server', ['--version'], { encoding: 'utf8' }))?.[1] ?? 'unknown'
  } catch {
    return null
  }
}

/** @returns {Promise<{ nodes: { host: string, port: number }[], close(): void }>} */
export async function startServers(count = 3) {
  const folder = mkdtempSync(join(tmpdir(), 'quorlock-bench-'))
  const processes = []
  const close = () => {
    process.off('exit', close)
    for (const server of processes) server.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
  process.on('exit', close)
  try {
    const nodes = []
    for (let i = 0; i < count; i++) {
      const port = await freePort()
      processes.push(startServer(port, folder))
      nodes.push({ host: HOST, port })
    }
    await Promise.all(nodes.map((node, i) => answers(node, processes[i])))
    return { nodes, close }
  } catch (error) {
    close()
    throw error
  }
}

function startServer(port, dir) {
  const options = ['--port', port, '--bind', HOST, '--save', '', '--appendonly', 'no', '--dir', dir]
  return spawn('redis-server', options.map(String), { stdio: 'ignore' })
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, HOST, () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })
}

async function answers(node, server) {
  const deadline = Date.now() + START_DEADLINE_MS
  while (!(await pong(node))) {
    if (server.exitCode !== null) throw new Error(`redis-server on port ${node.port} ended with ${server.exitCode}`)
    if (Date.now() > deadline) throw new Error(`redis-server on port ${node.port} did not answer in time`)
    await sleep(20)
  }
}

function pong({ host, port }) {
  return new Promise((resolve) => {
    const socket = connect(port, host, () => socket.write('PING\r\n'))
    const settle = (answer) => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('data', (data) => settle(data.toString().startsWith('+PONG')))
    socket.once('error', () => settle(false))
    socket.once('close', () => settle(false))
  })
}
