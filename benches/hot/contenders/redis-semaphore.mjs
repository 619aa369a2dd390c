// A mutex object for every waiter: one object cannot wait twice.

import { RedlockMutex } from 'redis-semaphore'
import { closeClients, openClients } from '../../contenders/ioredis-clients.mjs'

const HOUR_MS = 3_600_000

export async function open({ nodes, ttl }) {
  const clients = await openClients(nodes)
  const options = { lockTimeout: ttl, acquireTimeout: HOUR_MS, refreshInterval: 0 }
  return {
    bind(key, slots) {
      const mutexes = Array.from({ length: slots }, () => new RedlockMutex(clients, key, options))
      return {
        async section(slot, work) {
          await mutexes[slot].acquire()
          if (work) await work()
          await mutexes[slot].release()
        },
        async acquire() {
          await mutexes[0].acquire()
          return () => mutexes[0].release()
        },
      }
    },
    close: () => closeClients(clients),
  }
}
