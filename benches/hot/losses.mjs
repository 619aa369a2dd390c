// Where a peer is ahead on a hot key: every figure that has a better and a worse.

import { bestPeer, figureOf } from './ratio.mjs'
import { rows } from './rows.mjs'

export function hotLosses(hot) {
  return rows.flatMap((row) => {
    const results = hot.get(row.id)
    return row.contenders.flatMap(({ id, label, kind }) =>
      kind === 'ours'
        ? row.columns.flatMap(({ title, figure, better, show }) => {
            const value = figureOf(results, id, figure)
            const peer = better && bestPeer(results, figure, better)
            const behind = peer && (better === 'more' ? value < peer.value : value > peer.value)
            if (!behind) return []
            return [
              `- ${label}, ${row.title}, ${title}: ${show(value)} against ${show(peer.value)} of ${peer.contender.label}`,
            ]
          })
        : [],
    )
  })
}
