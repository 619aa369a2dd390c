// `depth` loops side by side, each with a key of its own: acquire, release, again. `cycle(slot, held)` is the
// contender's way to do one round; it calls `held()` at the moment the lock is its own.

import { setTimeout as sleep } from 'node:timers/promises'

export async function measureSlots({ cycle, depth, settleMs, windowMs, recorder }) {
  let running = true
  const loop = async (slot) => {
    let askedAt
    const held = () => recorder.acquired(performance.now() - askedAt)
    while (running) {
      askedAt = performance.now()
      await cycle(slot, held)
      recorder.released()
    }
  }
  const loops = Array.from({ length: depth }, (_, slot) => loop(slot))
  const failure = Promise.all(loops)
  const window = async () => {
    await sleep(settleMs)
    recorder.begin()
    await sleep(windowMs)
    recorder.end()
    running = false
  }
  await Promise.race([window(), failure]) // a loop ends early only by an error
  await failure
}
