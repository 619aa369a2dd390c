// What locks that are held cost, in memory and for the others: cycles at 512 in flight in a process that holds nothing and
// in one that holds 100,000 renewed locks on the same nodes, window by window in turn. `npm run held` in this folder
// prints a table.

import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { serveTasks, startProcess } from './forked.mjs'
import { median } from './medians.mjs'
import { startServers } from './servers.mjs'

const HELD = 100_000
const BURST = 500
const DEPTH = 512
const BURSTS = 40
const WARM_UP = 5
const WINDOWS = 25
const TTL = 60_000
const WAIT = { wait: 30_000 }

/** What each process can be asked to do. */
async function createTasks(nodes) {
  const { Redlock } = createRequire(import.meta.url)('..')
  const redlock = new Redlock({ nodes, nodeTimeout: 2000 })
  await redlock.connect()
  const locks = []
  return {
    async cycles() {
      const startedAt = performance.now()
      const before = process.cpuUsage()
      for (let burst = 0; burst < BURSTS; burst += 1) {
        const keys = Array.from({ length: DEPTH }, (_, i) => `${process.pid}:${burst}:${i}`)
        const taken = await Promise.all(keys.map((key) => redlock.acquire(key, TTL, WAIT)))
        await Promise.all(taken.map((lock) => lock.release()))
      }
      const { user, system } = process.cpuUsage(before)
      const count = BURSTS * DEPTH
      return { wall: ((performance.now() - startedAt) * 1000) / count, cpu: (user + system) / count }
    },
    /** Bytes a lock. */
    async hold() {
      const before = memory()
      while (locks.length < HELD) {
        const keys = Array.from({ length: BURST }, (_, i) => `held:${locks.length + i}`)
        locks.push(...(await Promise.all(keys.map((key) => redlock.acquire(key, TTL, { ...WAIT, renew: true })))))
      }
      const after = memory()
      return { heap: (after.heap - before.heap) / HELD, other: (after.other - before.other) / HELD }
    },
    async close() {
      await Promise.all(locks.map((lock) => lock.release()))
      await redlock.close()
    },
  }
}

function memory() {
  globalThis.gc()
  const { rss, heapUsed } = process.memoryUsage()
  return { heap: heapUsed, other: rss - heapUsed }
}

async function measure(title, nodes) {
  const file = fileURLToPath(import.meta.url)
  const [without, holder] = [await startProcess(file, [nodes]), await startProcess(file, [nodes])]
  for (let i = 0; i < WARM_UP; i += 1) await Promise.all([without('cycles'), holder('cycles')])
  const bytes = await holder('hold')
  const windows = { without: [], holder: [] }
  for (let i = 0; i < WINDOWS; i += 1) {
    windows.without.push(await without('cycles'))
    windows.holder.push(await holder('cycles'))
  }
  const row = (name, figure) => {
    const [alone, beside] = [windows.without, windows.holder].map((all) => median(all.map((one) => one[figure])))
    console.log(
      `  ${name.padEnd(22)} ${alone.toFixed(2)} us, ${beside.toFixed(2)} us: ${(beside / alone).toFixed(2)} x`,
    )
  }
  console.log(`${title}: holding nothing, holding ${HELD.toLocaleString('en-US')} locks`)
  row('a cycle', 'wall')
  row('of it the client’s CPU', 'cpu')
  console.log(`  ${Math.round(bytes.heap)} bytes of JavaScript and ${Math.round(bytes.other)} of other memory a lock\n`)
  await Promise.all([without('close'), holder('close')])
}

if (process.send) {
  await serveTasks(await createTasks(process.argv[2].split(',')))
} else {
  const servers = await startServers()
  try {
    const urls = servers.nodes.map(({ host, port }) => `redis://${host}:${port}`)
    await measure('one node', urls.slice(0, 1).join())
    await measure('three nodes', urls.join())
  } finally {
    servers.close()
  }
}
