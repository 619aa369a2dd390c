// Counts what happens inside one window: cycles, the latency of each acquire, wall time and CPU time of the process
// (all its threads). Outside the window it ignores everything, so that the slots can run up and down freely.

const SAMPLES = 1 << 20 // more than any window so far; beyond it the oldest are overwritten

export function createRecorder() {
  const samples = new Float64Array(SAMPLES)
  let open = false
  let taken = 0
  let cycles = 0
  let startedAt, cpuAtStart, result

  return {
    begin() {
      taken = 0
      cycles = 0
      cpuAtStart = process.cpuUsage()
      startedAt = performance.now()
      open = true
    },
    end() {
      open = false
      const seconds = (performance.now() - startedAt) / 1000
      const { user, system } = process.cpuUsage(cpuAtStart)
      const sorted = samples.subarray(0, Math.min(taken, SAMPLES)).sort()
      result = {
        cyclesPerSecond: cycles / seconds,
        p50: percentile(sorted, 0.5) * 1000,
        p99: percentile(sorted, 0.99) * 1000,
        cpuPerCycle: (user + system) / cycles,
      }
    },
    /** `ms` is the time from asking for a lock until it was held. */
    acquired(ms) {
      if (open) samples[taken++ % SAMPLES] = ms
    },
    released() {
      if (open) cycles++
    },
    /** Times in microseconds. */
    result: () => result,
  }
}

function percentile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}
