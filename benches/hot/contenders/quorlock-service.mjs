// What both ways to call Quorlock begin with.

import { connect } from '../../contenders/quorlock.mjs'

/** @param {(redlock: import('quorlock').Redlock, options: import('quorlock').AcquireOptions) => object} bindTo */
export async function openService(nodes, bindTo) {
  const redlock = await connect(nodes)
  let lost = 0
  redlock.on('lost', () => lost++)
  return {
    bind: bindTo(redlock, { wait: 60_000 }),
    lost: () => lost,
    close: () => redlock.close(),
  }
}
