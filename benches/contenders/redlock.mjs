import Redlock from 'redlock'
import { closeClients, openClients } from './ioredis-clients.mjs'

export async function open({ nodes, ttl }, clientOptions) {
  const clients = await openClients(nodes, clientOptions)
  const redlock = new Redlock(clients)
  return {
    async cycle(slot, held) {
      const lock = await redlock.acquire([`bench:redlock:${slot}`], ttl)
      held()
      await lock.release()
    },
    close: () => closeClients(clients),
  }
}
