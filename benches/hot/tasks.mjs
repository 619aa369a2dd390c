// What a process can be asked to do. A key is new for every window, so that no window inherits anything.

import { now, sleep } from './clock.mjs'
import { closedLoop } from './loop.mjs'

export function createTasks(contender) {
  let draining = Promise.resolve()
  let bound, grant, release
  return {
    /** The work alone, one after the other: ms per piece. */
    async work({ pieces, workMs }) {
      const startedAt = now()
      for (let i = 0; i < pieces; i++) await sleep(workMs)
      return (now() - startedAt) / pieces
    },
    /** Everybody wants the key at once, everybody has it once. */
    buyers: ({ key, buyers, workMs }) => buy(contender, key, buyers, workMs),
    /** Sections of each waiter within the window; those still waiting are waited for by `drained`. */
    async loop(setup) {
      const loop = closedLoop(contender.bind(setup.key, setup.waiters), setup)
      draining = loop.drained
      const result = await loop.result
      return { ...result, lost: contender.lost?.() ?? 0 }
    },
    drained: () => draining,
    pings: (setup) => contender.pings(setup),
    async hold({ key }) {
      bound = contender.bind(key, 1)
      release = await bound.acquire()
    },
    /** Answers as soon as the process waits, not when it has been granted. */
    wait({ key }) {
      bound = contender.bind(key, 1)
      grant = bound.acquire().then((release) => ({ release, at: now() }))
      grant.catch(() => {})
    },
    async release() {
      const at = now()
      await release()
      return at
    },
    async granted() {
      const { release, at } = await grant
      await release()
      return at
    },
    close: () => contender.close(),
  }
}

async function buy(contender, key, buyers, workMs) {
  const { section } = contender.bind(key, buyers)
  const entered = []
  const left = []
  let turnedAway = 0
  const work = async () => {
    entered.push(now())
    await sleep(workMs)
    left.push(now())
  }
  const startedAt = now()
  await Promise.all(
    Array.from({ length: buyers }, (_, slot) =>
      section(slot, work).catch(() => {
        turnedAway++
      }),
    ),
  )
  return { startedAt, endedAt: now(), entered, left, turnedAway, lost: contender.lost?.() ?? 0 }
}
