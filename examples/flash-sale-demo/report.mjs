// The words and the table of the demo.

import { styleText } from 'node:util'

const colours = process.stdout.isTTY && !process.env.NO_COLOR

export function paint(style, text) {
  return colours ? styleText(style, text) : text
}

/** Two sales side by side. */
export function printReport(locked, unlocked) {
  const milliseconds = (value) => `${value.toFixed(1)} ms`
  const rows = [
    ['', 'with quorlock', 'without a lock'],
    ['sold', locked.sold, unlocked.sold],
    ['refused (sold out)', locked.refused, unlocked.refused],
    ['oversold', verdict(locked.oversold), verdict(unlocked.oversold)],
    ['failed', verdict(locked.failures.length), verdict(unlocked.failures.length)],
    ['wait p50', milliseconds(locked.waitP50), milliseconds(unlocked.waitP50)],
    ['wait p99', milliseconds(locked.waitP99), milliseconds(unlocked.waitP99)],
    ['orders/s until sold out', locked.ordersPerSecond.toFixed(0), unlocked.ordersPerSecond.toFixed(0)],
    ['all answered after', `${locked.seconds.toFixed(1)} s`, `${unlocked.seconds.toFixed(1)} s`],
  ]
  console.log(`\n${table(rows)}\n`)
}

function verdict(count) {
  return { text: String(count), style: count === 0 ? 'green' : 'red' }
}

function table(rows) {
  const cells = rows.map((row) => row.map((cell) => (typeof cell === 'object' ? cell : { text: String(cell) })))
  const widths = cells[0].map((_, column) => Math.max(...cells.map((row) => row[column].text.length)))
  const rule = widths.map((width) => '─'.repeat(width + 2)).join('┼')
  const lines = cells.map((row) => row.map((cell, column) => ` ${pad(cell, widths[column], column)} `).join('│'))
  return [lines[0], rule, ...lines.slice(1)].join('\n')
}

// Padded before it is painted: colour codes have no width on the screen.
function pad({ text, style }, width, column) {
  const padded = column ? text.padStart(width) : text.padEnd(width)
  return style ? paint(style, padded) : padded
}
