// One lock object per slot, used again and again: the cheapest way to use it.

import { createRedlock, IoredisAdapter } from 'redlock-universal'
import { closeClients, openClients } from './ioredis-clients.mjs'

export async function open({ nodes, ttl }, clientOptions) {
  const clients = await openClients(nodes, clientOptions)
  const adapters = clients.map((client) => new IoredisAdapter(client))
  const locks = []
  const lockOf = (slot) => {
    locks[slot] ??= createRedlock({ adapters, key: `bench:universal:${slot}`, ttl })
    return locks[slot]
  }
  return {
    async cycle(slot, held) {
      const lock = lockOf(slot)
      const handle = await lock.acquire()
      held()
      if (!(await lock.release(handle))) throw new Error('redlock-universal did not release its lock')
    },
    close: () => closeClients(clients),
  }
}
