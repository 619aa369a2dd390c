// Unlimited attempts are given to acquire alone: a release that finds its lock expired must end.

import Redlock from 'redlock'
import { closeClients, openClients } from '../../contenders/ioredis-clients.mjs'

export async function open({ nodes, ttl }) {
  const clients = await openClients(nodes)
  const redlock = new Redlock(clients)
  const patient = { retryCount: -1 }
  return {
    bind: (key) => ({
      async section(_slot, work) {
        const lock = await redlock.acquire([key], ttl, patient)
        if (work) await work()
        await lock.release()
      },
      async acquire() {
        const lock = await redlock.acquire([key], ttl, patient)
        return () => lock.release()
      },
    }),
    close: () => closeClients(clients),
  }
}
