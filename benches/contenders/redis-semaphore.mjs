// One mutex object per slot, used again and again: the cheapest way to use it. No refresh timer, since nobody
// else renews during these short holds either.

import { RedlockMutex } from 'redis-semaphore'
import { closeClients, openClients } from './ioredis-clients.mjs'

export async function open({ nodes, ttl }, clientOptions) {
  const clients = await openClients(nodes, clientOptions)
  const mutexes = []
  const mutexOf = (slot) => {
    mutexes[slot] ??= new RedlockMutex(clients, `bench:${slot}`, { lockTimeout: ttl, refreshInterval: 0 })
    return mutexes[slot]
  }
  return {
    async cycle(slot, held) {
      const mutex = mutexOf(slot)
      await mutex.acquire()
      held()
      await mutex.release()
    },
    close: () => closeClients(clients),
  }
}
