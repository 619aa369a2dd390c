import { connect } from '../../contenders/quorlock.mjs'

export async function open({ nodes, ttl }) {
  const redlock = await connect(nodes)
  const options = { wait: 60_000 }
  let lost = 0
  redlock.on('lost', () => lost++)
  return {
    bind: (key) => ({
      section: (_slot, work) => redlock.withLock(key, ttl, work ?? nothing, options),
    }),
    lost: () => lost,
    close: () => redlock.close(),
  }
}

function nothing() {}
