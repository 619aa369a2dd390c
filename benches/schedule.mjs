// Windows interleaved over the rounds (A B C .., A B C ..), so that a slow spell of the machine hits everyone,
// and the median of each figure over the rounds.

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

function median(values) {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

function mapValues(map, change) {
  return new Map([...map].map(([key, value]) => [key, change(value)]))
}
