// The tables of the hot key, header first, for textTable and markdownTable.

export function hotTable({ columns, contenders }, results) {
  const present = contenders.filter(({ id }) => results.has(id))
  return [
    ['', ...columns.map(({ title }) => title)],
    ...present.map(({ id, label }) => [label, ...cellsOf(columns, results, results.get(id))]),
  ]
}

/** The cells of one contender: of its medians, or of a single window. */
export function cellsOf(columns, results, figures) {
  const empty = columns.slice(1).map(() => '')
  if (figures.over) return [`over ${figures.over / 1000} s`, ...empty]
  if (figures.failed) return [`failed: ${figures.failed}`, ...empty]
  const [first, ...others] = columns.map(({ cell }) => cell(results, figures))
  return [figures.turnedAway ? `${first} (${figures.turnedAway} turned away)` : first, ...others]
}
