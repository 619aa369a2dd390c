import { connect } from '../../contenders/quorlock.mjs'

export async function open({ nodes, ttl }) {
  const redlock = await connect(nodes)
  const options = { wait: 60_000 }
  let lost = 0
  redlock.on('lost', () => lost++)
  return {
    bind: (key) => ({
      async section(_slot, work) {
        const lock = await redlock.acquire(key, ttl, options)
        if (work) await work()
        await lock.release()
      },
      async acquire() {
        const lock = await redlock.acquire(key, ttl, options)
        return () => lock.release()
      },
    }),
    lost: () => lost,
    close: () => redlock.close(),
  }
}
