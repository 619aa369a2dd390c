// Three real Redis nodes for one demo: free ports, a temporary folder, no persistence, always stopped again.

import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const HOST = '127.0.0.1'
const START_DEADLINE_MS = 10_000

export function hasRedisServer() {
  return spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0
}

/** @returns {Promise<{ urls: string[], kill(node: number): void, close(): void }>} */
export async function startServers(count = 3) {
  const folder = mkdtempSync(join(tmpdir(), 'quorlock-demo-'))
  const servers = []
  const close = () => {
    process.off('exit', close)
    for (const server of servers) server.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
  process.on('exit', close)
  try {
    const ports = []
    for (let i = 0; i < count; i++) {
      ports.push(await freePort())
      servers.push(startServer(ports[i], folder))
    }
    await Promise.all(ports.map((port, i) => answers(port, servers[i])))
    return {
      urls: ports.map((port) => `redis://${HOST}:${port}`),
      kill: (node) => servers[node].kill('SIGKILL'),
      close,
    }
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

async function answers(port, server) {
  const deadline = Date.now() + START_DEADLINE_MS
  while (!(await accepts(port))) {
    if (server.exitCode !== null) throw new Error(`redis-server on port ${port} ended with ${server.exitCode}`)
    if (Date.now() > deadline) throw new Error(`redis-server on port ${port} did not start in time`)
    await sleep(20)
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
