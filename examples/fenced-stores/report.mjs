// The table at the end.

const HEAD = ['store', 'token', 'late write', 'sold', 'gone from stock', 'lost']

/** @param {{ title: string, form: string, result: object }[]} runs */
export function table(runs) {
  const rows = runs.map(({ title, form, result: { A, sold, gone, lost } }) => [
    title,
    form === 'fenced' ? 'yes' : 'no',
    A.refused ? 'refused' : 'accepted',
    ...[sold, gone, lost].map(String),
  ])
  const widths = HEAD.map((_, column) => Math.max(...[HEAD, ...rows].map((row) => row[column].length)))
  const isNumber = (column) => column >= 3
  const cell = (text, column) => (isNumber(column) ? text.padStart(widths[column]) : text.padEnd(widths[column]))
  const line = (row) => row.map((text, column) => ` ${cell(text, column)} `).join('│')
  const rule = widths.map((width) => '─'.repeat(width + 2)).join('┼')
  return [line(HEAD), rule, ...rows.map(line)].join('\n')
}
