// The people behind a sale, wherever they run: four processes over Redis, or this one over memory.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Redlock } from '../../index.mjs'
import { runBuyers } from './buyers.mjs'
import { serveStock } from './stock.mjs'

const BUYER_PROCESS = fileURLToPath(new URL('./buyer-process.mjs', import.meta.url))

/** Buyers in processes of their own, which find the nodes in QUORLOCK_NODES. */
export async function forkCrowd(processes, nodes) {
  const env = { ...process.env, QUORLOCK_NODES: nodes }
  const children = Array.from({ length: processes }, () => fork(BUYER_PROCESS, { env }))
  const killAll = () => {
    for (const child of children) child.kill('SIGKILL')
  }
  process.on('exit', killAll)
  await Promise.all(children.map((child) => messageWith(child, 'ready')))

  return {
    async run({ arrivals, key, locked, stock, onAnswer, onNodeDown }) {
      await Promise.all(
        children.map(async (child, index) => {
          const onMessage = (message) => {
            serveStock(stock, child, message)
            if (message.answer) onAnswer(message.answer)
            if (message.nodeDown) onNodeDown(message.nodeDown)
          }
          child.on('message', onMessage)
          const share = arrivals.filter((_, buyer) => buyer % processes === index)
          child.send({ sale: { arrivals: share, key, locked } })
          await messageWith(child, 'done')
          child.off('message', onMessage)
        }),
      )
    },
    async close() {
      process.off('exit', killAll)
      await Promise.all(
        children.map((child) => {
          const ended = once(child, 'exit')
          child.disconnect()
          return ended
        }),
      )
    },
  }
}

/** Buyers in this very process. */
export function localCrowd(nodes) {
  const redlock = new Redlock({ nodes })
  return {
    run: ({ locked, ...sale }) => runBuyers({ ...sale, redlock: locked ? redlock : undefined }),
    close: () => redlock.close(),
  }
}

function messageWith(child, property) {
  return new Promise((resolve, reject) => {
    const settle = (finish) => {
      child.off('message', onMessage)
      child.off('exit', onExit)
      finish()
    }
    const onMessage = (message) => message[property] && settle(resolve)
    const onExit = (code, signal) => settle(() => reject(new Error(`a buyer process ended early (${signal ?? code})`)))
    child.on('message', onMessage)
    child.once('exit', onExit)
  })
}
