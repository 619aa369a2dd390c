import { openService } from './quorlock-service.mjs'

export function open({ nodes, ttl }) {
  return openService(nodes, (redlock, options) => (key) => ({
    async section(_slot, work) {
      const lock = await redlock.acquire(key, ttl, options)
      if (work) await work()
      await lock.release()
    },
    async acquire() {
      const lock = await redlock.acquire(key, ttl, options)
      return () => lock.release()
    },
  }))
}
