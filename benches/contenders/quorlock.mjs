import { Redlock } from '../../index.mjs'

export async function open({ nodes, ttl }) {
  const redlock = await connect(nodes)
  return {
    async cycle(slot, held) {
      const lock = await redlock.acquire(`bench:acquire:${slot}`, ttl)
      held()
      await lock.release()
    },
    close: () => redlock.close(),
  }
}

export async function connect(nodes) {
  const redlock = new Redlock({ nodes })
  await redlock.connect()
  return redlock
}
