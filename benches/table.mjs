// Tables for people: aligned text for the terminal, the same rows as Markdown.

import { ratioToBestPeer, ratioToFloor } from './comparison.mjs'
import { contenders, FLOOR } from './contenders.mjs'
import { thousands, times } from './numbers.mjs'

const HEADER = [
  '',
  'cycles/s',
  'p50 us',
  'p99 us',
  'CPU us/cycle',
  'cycles/s : best peer',
  'CPU : best peer',
  'cycles/s : floor',
]

/** The rows of one depth, header first; empty cells where a ratio would say nothing. */
export function rowsOf(results, depth) {
  const present = contenders.filter(({ id }) => results.has(id))
  const peers = present.some(({ kind }) => kind === 'peer')
  return [
    HEADER,
    ...present.map(({ id, label, kind }) => {
      const { cyclesPerSecond, p50, p99, cpuPerCycle } = results.get(id).get(depth)
      const ratio = (wanted, compute, figure) => (wanted ? times(compute(results, depth, figure, id)) : '')
      return [
        label,
        thousands(cyclesPerSecond),
        thousands(p50),
        thousands(p99),
        cpuPerCycle.toFixed(1),
        ratio(peers && kind !== 'floor', ratioToBestPeer, 'cyclesPerSecond'),
        ratio(peers && kind !== 'floor', ratioToBestPeer, 'cpuPerCycle'),
        ratio(results.has(FLOOR) && kind !== 'floor', ratioToFloor, 'cyclesPerSecond'),
      ]
    }),
  ]
}

export function textTable(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)))
  return rows
    .map((row) => row.map((cell, column) => (column ? cell.padStart(widths[column]) : cell.padEnd(widths[column]))))
    .map((cells) => cells.join('  ').trimEnd())
    .join('\n')
}

export function markdownTable([header, ...rows]) {
  const line = (cells) => `| ${cells.join(' | ')} |`
  return [line(header), line(header.map((_, column) => (column ? '--:' : '---'))), ...rows.map(line)].join('\n')
}
