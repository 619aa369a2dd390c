import { createRedlock, IoredisAdapter } from 'redlock-universal'
import { closeClients, openClients } from '../../contenders/ioredis-clients.mjs'

export async function open({ nodes, ttl }) {
  const clients = await openClients(nodes)
  const adapters = clients.map((client) => new IoredisAdapter(client))
  return {
    bind(key) {
      const lock = createRedlock({ adapters, key, ttl, retryAttempts: 1_000_000 })
      return {
        async section(_slot, work) {
          const handle = await lock.acquire()
          if (work) await work()
          await lock.release(handle)
        },
        async acquire() {
          const handle = await lock.acquire()
          return () => lock.release(handle)
        },
      }
    },
    close: () => closeClients(clients),
  }
}
