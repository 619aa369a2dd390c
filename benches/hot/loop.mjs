// A closed loop: every waiter asks again as soon as it has given the key back.

import { sleep } from './clock.mjs'

const LOOK_EVERY = 256

export function closedLoop({ section }, { waiters, workMs, settleMs, windowMs }) {
  const counts = new Array(waiters).fill(0)
  const window = openWindow(settleMs, windowMs)
  const work = workMs ? () => sleep(window.running ? workMs : 0) : undefined
  let sections = 0
  const wait = async (slot) => {
    while (window.running) {
      await section(slot, work)
      if (window.counting) counts[slot]++
      sections++
      if (sections % LOOK_EVERY === 0) window.look()
    }
  }
  const all = Promise.all(counts.map((_, slot) => wait(slot)))
  all.catch(() => {}) // known from the result
  const failed = all.then(() => window.closed) // only an error ends the window early
  const result = Promise.race([window.closed, failed]).then((figures) => ({ ...figures, counts: [...counts] }))
  return { result, drained: all.then(() => undefined) }
}

/** Opens and closes by timers, and when it is looked at: a mutex that never leaves the microtasks lets no timer fire. */
function openWindow(settleMs, windowMs) {
  const window = { running: true, counting: false, look }
  const opensAt = performance.now() + settleMs
  let startedAt, cpuBefore, close
  window.closed = new Promise((resolve) => {
    close = resolve
  })
  setTimeout(look, settleMs + 1)

  function look() {
    const at = performance.now()
    if (!window.counting && window.running && at >= opensAt) {
      window.counting = true
      startedAt = at
      cpuBefore = process.cpuUsage()
      setTimeout(look, windowMs + 1)
    } else if (window.counting && at >= startedAt + windowMs) {
      window.counting = false
      window.running = false
      const { user, system } = process.cpuUsage(cpuBefore)
      close({ seconds: (at - startedAt) / 1000, cpuMicros: user + system })
    }
  }
  return window
}
