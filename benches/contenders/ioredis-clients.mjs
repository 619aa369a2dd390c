// The client that all peers share: one ioredis connection per node.

import { once } from 'node:events'
import { Redis } from 'ioredis'

export async function openClients(nodes, options = {}) {
  const clients = nodes.map((node) => new Redis({ ...node, ...options }))
  await Promise.all(clients.map((client) => once(client, 'ready')))
  return clients
}

export function closeClients(clients) {
  for (const client of clients) client.disconnect()
}
