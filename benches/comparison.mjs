// What the figures say: the best peer per depth and figure, the targets, and where we lose.

import { contenders, FLOOR, OURS } from './contenders.mjs'
import { checkHotTargets } from './hot/targets.mjs'
import { times } from './numbers.mjs'

// `better` is the direction; a best peer is chosen per figure, so it need not be the same library twice.
export const figures = {
  cyclesPerSecond: { label: 'cycles/s', better: 'more' },
  p50: { label: 'p50 of acquire', better: 'less', unit: 'us' },
  p99: { label: 'p99 of acquire', better: 'less', unit: 'us' },
  cpuPerCycle: { label: 'CPU per cycle', better: 'less', unit: 'us' },
}

export function bestPeer(results, depth, figure) {
  const { better } = figures[figure]
  const peers = contenders.filter(({ id, kind }) => kind === 'peer' && results.has(id))
  const ranked = peers
    .map((contender) => ({ contender, value: results.get(contender.id).get(depth)[figure] }))
    .sort((a, b) => (better === 'more' ? b.value - a.value : a.value - b.value))
  return ranked[0]
}

/** quorlock's figure divided by the best peer's. */
export function ratioToBestPeer(results, depth, figure, id = OURS) {
  return results.get(id).get(depth)[figure] / bestPeer(results, depth, figure).value
}

export function ratioToFloor(results, depth, figure, id = OURS) {
  return results.get(id).get(depth)[figure] / results.get(FLOOR).get(depth)[figure]
}

const wanted = [
  { depth: 512, figure: 'cyclesPerSecond', limit: 6, text: "at 512 in flight at least 6 x the best peer's cycles/s" },
  {
    depth: 512,
    figure: 'cpuPerCycle',
    limit: 1 / 9,
    text: "at 512 in flight at most 1/9 of the best peer's CPU per cycle",
  },
  { depth: 64, figure: 'cyclesPerSecond', limit: 4.5, text: "at 64 in flight at least 4.5 x the best peer's cycles/s" },
  { depth: 1, figure: 'p50', limit: 1, text: "one at a time a p50 of acquire of at most 1 x the best peer's" },
]

/** Those of distinct keys, then those of the hot key. */
export function checkTargets({ results, hot }) {
  return [...checkDistinctTargets(results), ...checkHotTargets(hot)]
}

function checkDistinctTargets(results) {
  return wanted.map((target) => {
    const ratio = ratioToBestPeer(results, target.depth, target.figure)
    const reached = figures[target.figure].better === 'more' ? ratio >= target.limit : ratio <= target.limit
    const peer = bestPeer(results, target.depth, target.figure).contender
    return { ...target, ratio, reached, shown: `${times(ratio)} of ${peer.label}` }
  })
}

/** Every figure in which a peer is ahead of one of ours. */
export function losses(results, depths) {
  const ours = contenders.filter(({ id, kind }) => kind === 'ours' && results.has(id))
  return ours.flatMap((contender) =>
    depths.flatMap((depth) =>
      Object.keys(figures).flatMap((figure) => {
        const ratio = ratioToBestPeer(results, depth, figure, contender.id)
        const behind = figures[figure].better === 'more' ? ratio < 1 : ratio > 1
        return behind ? [{ contender, depth, figure, ratio, best: bestPeer(results, depth, figure) }] : []
      }),
    ),
  )
}
