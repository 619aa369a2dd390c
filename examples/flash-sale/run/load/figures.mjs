// The journal in figures, for the table and the report.

export function figuresOf(journal) {
  const { answers, sales } = journal
  const byAnswer = new Map()
  for (const { status, code } of answers) {
    const name = code ? `${status} ${code}` : String(status)
    byAnswer.set(name, (byAnswer.get(name) ?? 0) + 1)
  }
  const waits = sales.map(({ wait }) => wait).sort((a, b) => a - b)
  const times = answers.map(({ ms }) => ms).sort((a, b) => a - b)
  return {
    answers: [...byAnswer].sort(([a], [b]) => (a < b ? -1 : 1)),
    requests: answers.length,
    sold: sales.length,
    degraded: sales.filter(({ degraded }) => degraded).length,
    seconds: answers.length === 0 ? 0 : answers.at(-1).at / 1000,
    waitP50: percentile(waits, 0.5),
    waitP99: percentile(waits, 0.99),
    answerP50: percentile(times, 0.5),
    answerP99: percentile(times, 0.99),
  }
}

export function percentile(sorted, part) {
  return sorted.length === 0 ? 0 : sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]
}
