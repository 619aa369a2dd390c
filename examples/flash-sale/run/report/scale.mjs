// From values to places on a chart, and round numbers for its axes.

export function scale(from, to, start, end) {
  const span = to - from || 1
  return (value) => Number((start + ((value - from) / span) * (end - start)).toFixed(2))
}

/** About `count` round numbers from 0 to `to`. */
export function ticks(to, count = 5) {
  if (!(to > 0)) return [0]
  const rough = to / count
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough)
  return Array.from({ length: Math.floor(to / step) + 1 }, (_, i) => Number((i * step).toPrecision(12)))
}
