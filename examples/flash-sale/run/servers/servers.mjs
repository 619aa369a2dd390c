// Everything the application talks to: those that the environment names, others started here.

import { startPostgres } from '../../../fenced-stores/servers/postgres.mjs'
import { RedisNode } from './redis-node.mjs'

const LOCK_NODES = 3

/**
 * `nodes` are the lock nodes that were started here, none where QUORLOCK_NODES names others; `queue` is the queue's Redis,
 * undefined where QUEUE_URL names another.
 *
 * @returns {Promise<{ env: Record<string, string>, nodes: RedisNode[], queue?: RedisNode, close(): Promise<void> }>}
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
    const DATABASE_URL = env.DATABASE_URL || (await postgres(closers))
    const queue = env.QUEUE_URL ? undefined : await redis()
    const nodes = []
    while (!env.QUORLOCK_NODES && nodes.length < LOCK_NODES) nodes.push(await redis())
    const QUORLOCK_NODES = env.QUORLOCK_NODES || nodes.map(({ url }) => url).join(',')
    return { env: { DATABASE_URL, QUEUE_URL: env.QUEUE_URL || queue.url, QUORLOCK_NODES }, nodes, queue, close }
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
