// A user of the metrics in TypeScript. Compiled and then run, on memory nodes, with a meter and a client by hand.

import assert from 'node:assert/strict'
import { subscribe } from 'node:diagnostics_channel'
import { type AcquireMessage, type DiagnosticsMessages, Redlock } from 'quorlock'
import { type MetricsMeter, type Observation, observeWithOpenTelemetry, observeWithProm } from 'quorlock/metrics'
import { RedlockMetricsModule } from 'quorlock/nestjs/metrics'

const redlock = new Redlock({ nodes: 'memory:metrics', fencing: true })
const told: string[] = []
subscribe('quorlock:acquire', (message) => {
  const { key, outcome, waited }: AcquireMessage = message as DiagnosticsMessages['quorlock:acquire']
  assert.ok(waited >= 0)
  told.push(`${key} ${outcome}`)
})

const recorded: string[] = []
const instrument = (name: string) => ({
  record: (_value: number, attributes?: Record<string, string>) =>
    recorded.push(`${name} ${attributes?.['quorlock.key_class']}`),
  add: () => {},
})
const meter: MetricsMeter = {
  createHistogram: instrument,
  createCounter: instrument,
  createObservableCounter: instrument,
  createObservableUpDownCounter: instrument,
  createObservableGauge: instrument,
  addBatchObservableCallback: () => {},
  removeBatchObservableCallback: () => {},
}
const observation: Observation = observeWithOpenTelemetry({
  redlocks: { orders: redlock },
  meter,
  keyClass: (key) => String(key).split(':')[0] ?? 'none',
})
await redlock.withLock('order:7', 1000, () => {})
observation.stop()
assert.deepEqual(told, ['order:7 acquired'])
assert.deepEqual(recorded, ['quorlock.acquire.duration order', 'quorlock.hold.duration order'])

assert.throws(() => observeWithProm({ redlock }), {
  code: 'ERR_QUORLOCK_PEER_MISSING',
  message: /npm install prom-client/,
})
const { module } = RedlockMetricsModule.forRoot({ name: 'orders', meter })
assert.equal(module, RedlockMetricsModule)
await redlock.close()
console.log('metrics: ok')

/** Compiled only: each of these is a mistake that the types catch. */
export function refused() {
  // @ts-expect-error a class is a string
  observeWithProm({ redlock, keyClass: () => 7 })
  // @ts-expect-error no meter
  observeWithOpenTelemetry({ redlock })
}
