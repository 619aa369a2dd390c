// Windows interleaved over the rounds (A B C .., A B C ..), so that a slow spell of the machine hits everyone,
// and the median of each figure over the rounds.

import { mapValues, median } from './medians.mjs'

const FIGURES = ['cyclesPerSecond', 'p50', 'p99', 'cpuPerCycle']

/** @returns {Promise<Map<string, Map<number, object>>>} contender id -> depth -> median figures */
export async function measureAll(children, { depths, rounds, windowMs, settleMs, warmUpMs, onWindow }) {
  for (const depth of depths) {
    for (const child of children) await child.measure({ depth, settleMs: 0, windowMs: warmUpMs })
  }
  const windows = new Map(children.map(({ contender }) => [contender.id, new Map(depths.map((depth) => [depth, []]))]))
  for (let round = 1; round <= rounds; round++) {
    for (const depth of depths) {
      for (const { contender, measure } of children) {
        const figures = await measure({ depth, settleMs, windowMs })
        windows.get(contender.id).get(depth).push(figures)
        onWindow({ round, depth, contender, figures })
      }
    }
  }
  return mapValues(windows, (byDepth) => mapValues(byDepth, medians))
}

function medians(windows) {
  return Object.fromEntries(FIGURES.map((figure) => [figure, median(windows.map((window) => window[figure]))]))
}
