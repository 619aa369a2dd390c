// A process with one Redlock, with or without fencing: cycles of acquire and release, window by window.

import { createRequire } from 'node:module'
import { serveTasks } from '../forked.mjs'

const TTL = 5000
const [urls, mode] = process.argv.slice(2)
const { Redlock } = createRequire(import.meta.url)('../..')
const redlock = new Redlock({ nodes: urls.split(','), fencing: mode === 'fenced' })
await redlock.connect()

/** So many callers acquire and release keys of their own. */
async function cycles(depth, windowMs) {
  const end = performance.now() + windowMs
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
}

await serveTasks({ cycles, close: () => redlock.close() })
