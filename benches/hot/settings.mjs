// How long the hot key may take. Who overruns `capMs` is ended; a window longer than `longMs` is not repeated.

export function hotSettings(quick) {
  return {
    hotRounds: quick ? 1 : 3,
    hotTtl: 5000,
    capMs: { ours: 40_000, peer: quick ? 1500 : 40_000 },
    longMs: quick ? 1500 : 10_000,
  }
}
