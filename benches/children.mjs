// The other end of worker.mjs: starts a contender's process, asks it for one window at a time.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { contenderUrl } from './contenders.mjs'

const WORKER = fileURLToPath(new URL('./worker.mjs', import.meta.url))

/** A child whose library cannot be loaded is an answer, not a crash: `{ contender, failed }`. */
export async function startChild(contender, nodes, ttl) {
  const child = fork(WORKER, [contenderUrl(contender), JSON.stringify(nodes), String(ttl)])
  const { failed } = await nextMessage(child)
  if (failed) return { contender, failed }
  return {
    contender,
    async measure(window) {
      child.send(window)
      const { result, failed } = await nextMessage(child)
      if (failed) throw new Error(`${contender.label}: ${failed}`)
      return result
    },
    async close() {
      const ended = once(child, 'exit')
      child.send(null)
      await ended
    },
  }
}

function nextMessage(child) {
  return new Promise((resolve, reject) => {
    const onExit = (code, signal) => reject(new Error(`a bench child ended early (${signal ?? code})`))
    child.once('exit', onExit)
    child.once('message', (message) => {
      child.off('exit', onExit)
      resolve(message)
    })
  })
}
