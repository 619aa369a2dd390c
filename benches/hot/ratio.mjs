// One contender's figure beside another's. `row` maps the contenders to their figures; who did not finish has none.

import { contenders } from './contenders.mjs'

export function figureOf(row, id, figure) {
  return row.get(id)?.[figure]
}

export function bestPeer(row, figure, better) {
  const ranked = contenders
    .filter(({ id, kind }) => kind === 'peer' && Number.isFinite(figureOf(row, id, figure)))
    .map((contender) => ({ contender, value: figureOf(row, contender.id, figure) }))
    .sort((a, b) => (better === 'more' ? b.value - a.value : a.value - b.value))
  return ranked[0]
}
