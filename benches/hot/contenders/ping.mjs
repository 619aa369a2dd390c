// The measure of a hand-over: one PING to the first node, by a bare socket and by ioredis, the usual client. Back to
// back, and after a pause such as there is before every hand-over.

import { closeClients, openClients } from '../../contenders/ioredis-clients.mjs'
import { now, sleep } from '../clock.mjs'
import { openWire } from '../wire.mjs'

export async function open({ nodes }) {
  const wire = await openWire(nodes[0])
  const clients = await openClients([nodes[0]])
  const pings = {
    socket: () => wire.ask(/PONG\r\n/, 'PING\r\n'),
    ioredis: () => clients[0].ping(),
  }
  return {
    async pings({ client, count, limitMs, pause }) {
      const micros = []
      const until = now() + limitMs
      for (let i = 0; i < count && now() < until; i++) {
        if (pause) await sleep(pause.min + Math.random() * (pause.max - pause.min))
        const since = now()
        await pings[client]()
        micros.push((now() - since) * 1000)
      }
      return micros
    },
    close() {
      wire.close()
      closeClients(clients)
    },
  }
}
