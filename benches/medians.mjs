// What is left of many windows.

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

export function mapValues(map, change) {
  return new Map([...map].map(([key, value]) => [key, change(value)]))
}
