// Everything the application talks to: those that the environment names, others started here.

import { startPostgres } from '../../../fenced-stores/servers/postgres.mjs'
import { RedisNode } from './redis-node.mjs'

const LOCK_NODES = 3

/**
 * `nodes` are the lock nodes that were started here, none where QUORLOCK_NODES names others.
 *
 * @returns {Promise<{ env: Record<string, string>, nodes: RedisNode[], close(): Promise<void> }>}
 */
export async function startServers(env = process.env) {
  const closers = []
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  const redis = async () => {
    const node = await RedisNode.start()
    closers.push(() => node.close())
    return node
  }
  try {
    const found = {
      DATABASE_URL: env.DATABASE_URL || (await postgres(closers)),
      QUEUE_URL: env.QUEUE_URL || (await redis()).url,
    }
    if (env.QUORLOCK_NODES) return { env: { ...found, QUORLOCK_NODES: env.QUORLOCK_NODES }, nodes: [], close }
    const nodes = []
    for (let i = 0; i < LOCK_NODES; i++) nodes.push(await redis())
    return { env: { ...found, QUORLOCK_NODES: nodes.map(({ url }) => url).join(',') }, nodes, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function postgres(closers) {
  const server = await startPostgres()
  closers.push(() => server.stop())
  return server.url
}
