// The frame that all charts share: axes over the time of the sale, bands where something was broken.

import { scale, ticks } from './scale.mjs'
import { element, escaped, text } from './svg.mjs'

const WIDTH = 900
const HEIGHT = 260
const LEFT = 56
const RIGHT = 16
const TOP = 28
const BOTTOM = 34
const LEGEND = 84 // the width of one of its entries

/**
 * `draw({ x, y })` gives the marks, with the scales of seconds and of values; `legend` is pairs of a class and words.
 *
 * @param {{ id: string, title: string, seconds: number, top: number, faults: object[], legend?: string[][], draw: Function }} chart
 */
export function chart({ id, title, seconds, top, faults, legend = [], draw }) {
  const x = scale(0, seconds, LEFT, WIDTH - RIGHT)
  const y = scale(0, top, HEIGHT - BOTTOM, TOP)
  const columns = ticks(seconds, 8).map((second) => [
    element('line', { class: 'grid', x1: x(second), x2: x(second), y1: TOP, y2: HEIGHT - BOTTOM }),
    text({ class: 'tick', x: x(second), y: HEIGHT - BOTTOM + 16, 'text-anchor': 'middle' }, `${second} s`),
  ])
  const lines = ticks(top).map((value) => [
    element('line', { class: 'grid', x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value) }),
    text({ class: 'tick', x: LEFT - 6, y: y(value) + 4, 'text-anchor': 'end' }, String(value)),
  ])
  const bands = faults.map(({ name, from, to }, index) =>
    element(
      'g',
      { class: 'fault', 'data-name': name },
      element('title', {}, escaped(name)),
      element('rect', { x: x(from), y: TOP, width: Math.max(1, x(to) - x(from)), height: HEIGHT - BOTTOM - TOP }),
      text({ class: 'mark', x: x(from) + 3, y: TOP + 12 }, String(index + 1)),
    ),
  )
  return element(
    'svg',
    { id, viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': title },
    text({ class: 'title', x: LEFT, y: 16 }, title),
    legend.map(([name, words], index) => {
      const left = WIDTH - RIGHT - (legend.length - index) * LEGEND
      return [
        element('rect', { class: `key ${name}`, x: left, y: 8, width: 9, height: 9 }),
        text({ class: 'tick', x: left + 13, y: 16 }, words),
      ]
    }),
    bands,
    columns,
    lines,
    draw({ x, y }),
  )
}

/** A line through `[second, value]` points; the points are also readable as `data-points`. */
export function line(points, { x, y }, attributes) {
  const path = points.map(([second, value], i) => `${i === 0 ? 'M' : 'L'}${x(second)} ${y(value)}`).join('')
  return element('path', { ...attributes, fill: 'none', d: path, 'data-points': points.length })
}
