// What fencing costs: cycles with and without tokens, window by window in turn, and what they cost the servers.

import { fileURLToPath } from 'node:url'
import { startProcess } from '../forked.mjs'
import { median } from '../medians.mjs'
import { openLedger } from './spent.mjs'

const CLIENT = fileURLToPath(new URL('./client.mjs', import.meta.url))
const MODES = ['classic', 'fenced']

/**
 * @returns {Promise<Map<number, { classic: object, fenced: object }>>} medians for each depth: cycles/s, and µs of the
 * client's and of all servers' CPU for a cycle, these also by what they were spent on
 */
export async function measureFencing(nodes, depths, { warmUps, windows, windowMs, onWindow }) {
  const urls = nodes.map(({ host, port }) => `redis://${host}:${port}`).join()
  const clients = await Promise.all(MODES.map((mode) => startProcess(CLIENT, [urls, mode])))
  const ledger = await openLedger(nodes)
  const results = new Map()
  for (const depth of depths) {
    const found = { classic: [], fenced: [] }
    for (let i = -warmUps; i < windows; i += 1) {
      for (const [which, mode] of MODES.entries()) {
        const end = await ledger.begin()
        const { rate, cpu, count } = await clients[which]('cycles', depth, windowMs)
        const spent = Object.entries(await end(mode)).map(([on, micros]) => [on, micros / count])
        const figures = { rate, client: cpu, servers: Object.fromEntries(spent) }
        if (i < 0) continue
        found[mode].push(figures)
        onWindow({ round: i, depth, mode, figures })
      }
    }
    results.set(depth, { classic: medians(found.classic), fenced: medians(found.fenced) })
  }
  ledger.close()
  await Promise.all(clients.map((client) => client('close')))
  return results
}

function medians(windows) {
  const of = (figure) => median(windows.map(figure))
  const parts = Object.keys(windows[0].servers).map((part) => [part, of(({ servers }) => servers[part])])
  return { rate: of(({ rate }) => rate), client: of(({ client }) => client), servers: Object.fromEntries(parts) }
}
