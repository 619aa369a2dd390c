// How long the hot key may take. Who overruns `capMs` is ended; a window of a peer longer than `longMs` is not
// repeated. Hand-overs end after `handoverMs`, however many there were.

export function hotSettings(quick) {
  return {
    hotRounds: quick ? 1 : 3,
    hotTtl: 5000,
    hotWarmUpMs: quick ? 0 : 700,
    capMs: { ours: 30_000, peer: quick ? 1000 : 30_000 },
    handoverMs: quick ? { ours: 1000, peer: 300, ping: 300 } : { ours: 10_000, peer: 3000, ping: 10_000 },
    fairnessMs: quick ? 2000 : 10_000,
    longMs: quick ? 1000 : 10_000,
  }
}
