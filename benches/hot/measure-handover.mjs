// From the call of release() in one process to the moment the acquire of another, which waits already, resolves.

import { sleep } from './clock.mjs'
import { percentile } from './percentile.mjs'

const WARM_UP = 2
const HOLDER = 0
const WAITER = 1

/** A pause before each release lets the waiter settle down; it varies, so that no interval of polling is hit or missed. */
export function measureHandover({ count, pause }) {
  return async ({ crew, holder, key, settings, capMs }) => {
    await Promise.all([holder.ready(1), crew.ready(2)])
    const until = performance.now() + settings.handoverMs[crew.kind]
    const micros = []
    for (let i = -WARM_UP; i < count && (i < 1 || performance.now() < until); i++) {
      const ms = await crew.within(capMs, handOver(holder, crew, key, pause))
      if (i >= 0) micros.push(ms * 1000)
    }
    return percentiles(micros)
  }
}

async function handOver(holder, waiter, key, { min, max }) {
  await holder.ask(HOLDER, 'hold', { key })
  await waiter.ask(WAITER, 'wait', { key })
  await sleep(min + Math.random() * (max - min))
  // One after the other: while the key changes hands nobody talks to the waiter.
  const releasedAt = await holder.ask(HOLDER, 'release')
  return (await waiter.ask(WAITER, 'granted')) - releasedAt
}

export function measurePings({ count, pause }) {
  return async ({ crew, contender: { client, rested }, settings }) => {
    await crew.ready(1)
    const limitMs = settings.handoverMs[crew.kind]
    return percentiles(await crew.ask(0, 'pings', { client, count, limitMs, pause: rested && pause }))
  }
}

function percentiles(micros) {
  return { p50: percentile(micros, 0.5), p99: percentile(micros, 0.99), samples: micros.length }
}
