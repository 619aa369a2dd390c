// Draws docs/bench.svg: one row per contender, one column of bars per figure, the value beside each bar.
// A card with a background of its own, so that it reads on light and on dark pages alike.

import { mkdirSync, writeFileSync } from 'node:fs'
import { contenders } from './contenders.mjs'
import { figureOf } from './hot/ratio.mjs'
import { thousands } from './numbers.mjs'

const FOLDER = new URL('../docs/', import.meta.url)

const distinct = (depth, figure) => (run, id) => run.results.get(id).get(depth)[figure]

const columns = [
  {
    value: distinct(512, 'cyclesPerSecond'),
    title: 'cycles/s, 512 in flight',
    hint: 'longer is better',
    show: thousands,
  },
  {
    value: distinct(64, 'cyclesPerSecond'),
    title: 'cycles/s, 64 in flight',
    hint: 'longer is better',
    show: thousands,
  },
  {
    value: distinct(512, 'cpuPerCycle'),
    title: 'CPU us per cycle, 512 in flight',
    hint: 'shorter is better',
    show: (value) => value.toFixed(1),
  },
  {
    value: (run, id) => figureOf(run.hot.get('loop'), id, 'sectionsPerSecond'),
    title: 'cycles/s, 200 waiters, one key',
    hint: 'longer is better',
    show: thousands,
  },
]

const layout = { padding: 24, names: 246, column: 226, gap: 16, valueRoom: 60, top: 66, row: 30, bar: 18, foot: 34 }

const STYLE = `
  text { font: 13px system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif; fill: #1f2328 }
  .card { fill: #ffffff; stroke: #d0d7de }
  .title { font-weight: 600 }
  .small { font-size: 11.5px; fill: #59636e }
  .ours { fill: #0969da }
  .peer { fill: #9aa4af }
  .floor { fill: none; stroke: #59636e; stroke-dasharray: 4 3 }
  .bold { font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc }
    .card { fill: #0d1117; stroke: #3d444d }
    .small { fill: #9198a1 }
    .ours { fill: #4493f8 }
    .peer { fill: #656c76 }
    .floor { stroke: #9198a1 }
  }`

export function writeChart(run) {
  mkdirSync(FOLDER, { recursive: true })
  writeFileSync(new URL('bench.svg', FOLDER), drawChart(run))
}

export function drawChart(run) {
  const { results, machine } = run
  const rows = contenders.filter(({ id }) => results.has(id))
  const width = 2 * layout.padding + layout.names + columns.length * (layout.column + layout.gap) - layout.gap
  const height = layout.top + rows.length * layout.row + layout.foot
  const footer = `acquire + release on three local Redis ${machine.redis} nodes, ${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, ${machine.date}`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="t">`,
    `<title id="t">${escapeText(summary(results))}</title>`,
    `<style>${STYLE}\n</style>`,
    `<rect class="card" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>`,
    text(layout.padding, 34, 'Locks taken and given back', 'title'),
    ...rows.map(({ label, kind }, row) => text(layout.padding, baseline(row), label, kind === 'ours' ? 'bold' : '')),
    ...columns.flatMap((column, index) => drawColumn(column, index, rows, run)),
    text(layout.padding, height - 14, footer, 'small'),
    '</svg>',
    '',
  ].join('\n')
}

/** Who did not take part has no bar. */
function drawColumn({ value, title, hint, show }, index, rows, run) {
  const left = layout.padding + layout.names + index * (layout.column + layout.gap)
  const values = rows.map(({ id }) => value(run, id))
  const scale = (layout.column - layout.valueRoom) / Math.max(...values.filter(Number.isFinite))
  return [
    text(left, 34, title, 'title'),
    text(left, 52, hint, 'small'),
    ...rows.flatMap(({ kind }, row) => {
      if (!Number.isFinite(values[row])) return []
      const length = Math.max(1, values[row] * scale).toFixed(1)
      const top = layout.top + row * layout.row + (layout.row - layout.bar) / 2
      return [
        `<rect class="${kind}" x="${left}" y="${top}" width="${length}" height="${layout.bar}" rx="2"/>`,
        text(left + Number(length) + 6, baseline(row), show(values[row]), kind === 'ours' ? 'bold' : ''),
      ]
    }),
  ]
}

function summary(results) {
  const rows = contenders.filter(({ id }) => results.has(id))
  const cycles = rows.map(({ id, label }) => `${label} ${thousands(results.get(id).get(512).cyclesPerSecond)}`)
  return `Cycles per second at 512 in flight: ${cycles.join('; ')}`
}

function baseline(row) {
  return layout.top + row * layout.row + layout.row / 2 + 4.5
}

function text(x, y, content, style) {
  return `<text x="${x}" y="${y}"${style && ` class="${style}"`}>${escapeText(content)}</text>`
}

function escapeText(content) {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
