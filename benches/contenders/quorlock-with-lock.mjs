import { connect } from './quorlock.mjs'

export async function open({ nodes, ttl }) {
  const redlock = await connect(nodes)
  return {
    cycle: (slot, held) => redlock.withLock(`bench:with-lock:${slot}`, ttl, held),
    close: () => redlock.close(),
  }
}
