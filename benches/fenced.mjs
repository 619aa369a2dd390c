// What fencing costs: cycles with and without tokens, window by window in turn, and how much of it the servers' CPU is.
// `npm run fenced` in this folder prints a table.

import { createRequire } from 'node:module'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import { serveTasks, startProcess } from './forked.mjs'
import { median } from './medians.mjs'
import { startServers } from './servers.mjs'

const DEPTHS = [1, 64, 512]
const WINDOW_MS = 400
const WARM_UP = 3
const WINDOWS = 15
const TTL = 5000

async function createTasks(nodes, fencing) {
  const { Redlock } = createRequire(import.meta.url)('..')
  const redlock = new Redlock({ nodes, fencing })
  await redlock.connect()
  return {
    /** So many callers acquire and release keys of their own. */
    async cycles(depth) {
      const end = performance.now() + WINDOW_MS
      let count = 0
      const caller = async (_, slot) => {
        for (let i = 0; performance.now() < end; i += 1) {
          const lock = await redlock.acquire(`${process.pid}:${slot}:${i % 1000}`, TTL)
          await lock.release()
          count += 1
        }
      }
      const startedAt = performance.now()
      const before = process.cpuUsage()
      await Promise.all(Array.from({ length: depth }, caller))
      const { user, system } = process.cpuUsage(before)
      return { rate: (count / (performance.now() - startedAt)) * 1000, cpu: (user + system) / count, count }
    },
    close: () => redlock.close(),
  }
}

/** The CPU time that a server has used so far, in µs. */
function serverMicros({ host, port }) {
  return new Promise((resolve) => {
    const socket = connect(port, host, () => socket.write('INFO cpu\r\n'))
    let text = ''
    socket.on('data', (data) => {
      text += data
      const [user, system] = ['user', 'sys'].map((kind) => new RegExp(`used_cpu_${kind}:([\\d.]+)`).exec(text)?.[1])
      if (!user || !system) return
      socket.destroy()
      resolve((Number(user) + Number(system)) * 1e6)
    })
  })
}

async function window(client, depth, nodes) {
  const sum = async () => (await Promise.all(nodes.map(serverMicros))).reduce((total, micros) => total + micros, 0)
  const before = await sum()
  const figures = await client('cycles', depth)
  return { ...figures, servers: ((await sum()) - before) / figures.count }
}

async function measure(nodes) {
  const urls = nodes.map(({ host, port }) => `redis://${host}:${port}`).join()
  const file = fileURLToPath(import.meta.url)
  const clients = [await startProcess(file, [urls, 'plain']), await startProcess(file, [urls, 'fenced'])]
  console.log('in flight           cycles/s         CPU us/cycle, client      all servers')
  for (const depth of DEPTHS) {
    const windows = clients.map(() => [])
    for (let i = -WARM_UP; i < WINDOWS; i += 1) {
      for (const [which, client] of clients.entries()) {
        const figures = await window(client, depth, nodes)
        if (i >= 0) windows[which].push(figures)
      }
    }
    const pair = (figure, digits) => {
      const [plain, fenced] = windows.map((all) => median(all.map((one) => one[figure])))
      return `${plain.toFixed(digits)}, ${fenced.toFixed(digits)}: ${(fenced / plain).toFixed(2)} x`.padEnd(26)
    }
    console.log(`${String(depth).padEnd(10)} ${pair('rate', 0)} ${pair('cpu', 1)} ${pair('servers', 1)}`)
  }
  await Promise.all(clients.map((client) => client('close')))
}

if (process.send) {
  await serveTasks(await createTasks(process.argv[2].split(','), process.argv[3] === 'fenced'))
} else {
  const servers = await startServers()
  try {
    await measure(servers.nodes)
  } finally {
    servers.close()
  }
}
