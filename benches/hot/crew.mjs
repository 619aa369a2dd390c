// The processes of one contender. They stay for the whole run; a crew that overruns its time is ended and replaced, since
// none of the peers can be told to stop waiting.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { contenderUrl } from './contenders.mjs'

const WORKER = fileURLToPath(new URL('./worker.mjs', import.meta.url))

export class Overrun extends Error {}

export function createCrew({ id, kind }, nodes, ttl) {
  let members = []
  const dismiss = async () => {
    const leaving = await Promise.allSettled(members)
    members = []
    for (const { value } of leaving) value?.kill()
  }

  return {
    kind,
    /** Starts what is missing; a library that cannot be loaded rejects. */
    async ready(count) {
      while (members.length < count) members.push(startMember(contenderUrl(id), nodes, ttl))
      await Promise.all(members)
    },
    /** One task in one process. */
    async ask(index, task, setup) {
      const answer = await (await members[index]).ask(task, setup)
      if ('failed' in answer) throw new Error(answer.failed)
      return answer.result
    },
    /** Waits for `answers`, but not for ever: then everybody has to go. */
    async within(limitMs, answers) {
      let timeout
      const overrun = new Promise((_, reject) => {
        timeout = setTimeout(() => reject(new Overrun()), limitMs)
      })
      try {
        return await Promise.race([answers, overrun])
      } catch (error) {
        if (error instanceof Overrun) {
          answers.catch(() => {})
          await dismiss()
        }
        throw error
      } finally {
        clearTimeout(timeout)
      }
    },
    async close() {
      const all = await Promise.all(members)
      await Promise.all(all.map((member) => member.close()))
    },
  }
}

async function startMember(url, nodes, ttl) {
  const child = fork(WORKER, [url, JSON.stringify(nodes), String(ttl)])
  const open = new Map()
  let last = 0
  const [first] = await Promise.race([once(child, 'message'), once(child, 'exit')])
  if (!first?.ready) throw new Error(first?.failed ?? `a bench child ended early (${first})`)
  const settle = (id, answer) => {
    open.get(id)?.(answer)
    open.delete(id)
  }
  child.on('message', (answer) => settle(answer.id, answer))
  child.on('exit', (code, signal) => {
    for (const id of open.keys()) settle(id, { failed: `a bench child ended early (${signal ?? code})` })
  })
  const ask = (task, setup) =>
    new Promise((resolve) => {
      last++
      open.set(last, resolve)
      child.send({ id: last, task, setup })
    })
  return {
    ask,
    kill: () => child.kill('SIGKILL'),
    async close() {
      const ended = once(child, 'exit')
      await ask('close')
      child.disconnect()
      await ended
    },
  }
}
