// Waiters that ask again and again: how many sections in a second, and how evenly they are dealt out.

import { Overrun } from './crew.mjs'

// The last waiters of a peer may sleep long: nobody waits for them.
const DRAIN_MS = { ours: 10_000, 'in-process': 10_000, peer: 500 }

export function measureLoop({ waiters }) {
  return async ({ crew, key, settings }) => {
    await crew.ready(1)
    const { settleMs, windowMs } = settings
    const [window] = await run(crew, [0], { key, waiters, settleMs, windowMs })
    const sections = sum(window.counts)
    return { sectionsPerSecond: sections / window.seconds, cpuPerSection: window.cpuMicros / sections }
  }
}

export function measureFairness({ processes, waiters, workMs }) {
  const everyone = Array.from({ length: processes }, (_, index) => index)
  return async ({ crew, key, settings }) => {
    await crew.ready(processes)
    const setup = { key, waiters, workMs, settleMs: settings.settleMs, windowMs: settings.fairnessMs }
    const windows = await run(crew, everyone, setup)
    return {
      jain: jainIndex(windows.flatMap(({ counts }) => counts)),
      sectionsPerSecond: sum(windows.map(({ counts, seconds }) => sum(counts) / seconds)),
    }
  }
}

async function run(crew, members, setup) {
  const windows = await Promise.all(members.map((index) => crew.ask(index, 'loop', setup)))
  const lost = sum(windows.map((window) => window.lost))
  if (lost) throw new Error(`${lost} locks were lost`)
  try {
    await crew.within(DRAIN_MS[crew.kind], Promise.all(members.map((index) => crew.ask(index, 'drained'))))
  } catch (error) {
    if (!(error instanceof Overrun)) throw error
    if (crew.kind !== 'peer') throw new Error('waiters are left that are not granted the key')
  }
  return windows
}

/** 1 when all have the same share, 1/n when one has everything, NaN when there is nothing to share. */
export function jainIndex(counts) {
  const total = sum(counts)
  return total ** 2 / (counts.length * sum(counts.map((count) => count ** 2)))
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0)
}
