// What the charts show, in seconds and counts: the report carries it as JSON, too, so that it can be checked and reused.

const BIN_S = 1

export function seriesOf({ sales, answers, stock, faults }) {
  const last = Math.max(0, ...answers.map(({ at }) => at), ...faults.map(({ to = 0 }) => to))
  const seconds = Math.ceil(round(last)) || 1
  const groups = { accepted: [], 409: [], 429: [], 503: [], other: [] }
  for (const name of Object.keys(groups)) groups[name] = new Array(Math.ceil(seconds / BIN_S) + 1).fill(0)
  for (const { at, status } of answers) {
    const name = status === 200 || status === 201 ? 'accepted' : String(status)
    const bins = groups[name] ?? groups.other
    bins[Math.floor(round(at) / BIN_S)] += 1 / BIN_S
  }
  return {
    seconds,
    sold: [[0, 0], ...sales.map(({ at }, index) => [round(at), index + 1])],
    stock: stock.map(({ at, stock: left }) => [Math.max(0, round(at)), left]),
    answers: groups,
    waits: sales.map(({ at, wait }) => [round(at), round(wait)]),
    degraded: sales.map(({ degraded = false }) => degraded),
    faults: faults.map(({ name, from, to, soldFrom, soldTo }) => ({
      ...{ name, soldFrom, soldTo },
      from: round(from),
      to: to === undefined ? seconds : round(to),
    })),
  }
}

/** Seconds, to the millisecond. */
function round(ms) {
  return Math.round(ms) / 1000
}
