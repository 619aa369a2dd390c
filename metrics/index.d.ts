// Metrics of locks, nodes and waiting, for prom-client or OpenTelemetry. docs/metrics.md has the table of them.
//
// Importing this loads neither package. Bad input is a `TypeError` or `RangeError` with one of Node's codes, as in the
// main entry. Nothing that happens while recording is thrown: it is a process warning (`QUORLOCK_METRICS`), once.

import type { Redlock } from '../index.js'

/** What both take. */
export interface ObserveOptions {
  /** The instance to observe, called `default` in the label `redlock`. Needed where there are no `redlocks`. */
  redlock?: Redlock<boolean> | undefined
  /** Several instances, each under the name that its label `redlock` has: `{ orders, stock }`. */
  redlocks?: Readonly<Record<string, Redlock<boolean>>> | undefined
  /**
   * The class of a key, as the label `key_class` of what is counted by key. A key itself is never shown. Give few
   * classes: each is a series of its own in every process, kept for ever. From the 101st on, and for whatever is no
   * string of 1 to 64 characters, the class is `other`, which a process warning (`QUORLOCK_KEY_CLASS`) tells once.
   *
   * Called for every lock with the key as it was given. @default no such label
   */
  keyClass?: ((key: string | readonly string[]) => string) | undefined
  /** Bounds of the histograms: ascending numbers, in seconds. @default 0.5 ms to 10 s for acquire, 1 ms to 60 s for hold */
  buckets?: { acquire?: readonly number[] | undefined; hold?: readonly number[] | undefined } | undefined
}

export interface Observation {
  /** Ends it: nothing is counted any more, and what is read at collection is gone. Idempotent. */
  stop(): void
}

/** What is used of `prom-client`. */
export interface PromClient {
  register: PromRegistry
  Histogram: new (configuration: never) => object
  Counter: new (configuration: never) => object
  Gauge: new (configuration: never) => object
}

/** What is used of a `Registry` of prom-client. */
export interface PromRegistry {
  getSingleMetric(name: string): unknown
  registerMetric(metric: never): void
  removeSingleMetric(name: string): void
}

export interface PromOptions extends ObserveOptions {
  /** What prom-client exports. @default the package `prom-client`, which must be installed then */
  client?: PromClient | undefined
  /** Where the metrics are registered. @default the global one: `client.register` */
  register?: PromRegistry | undefined
  /** Before each name. @default 'quorlock_' */
  prefix?: string | undefined
}

/**
 * Registers the metrics and keeps them up to date until `stop()`, which takes them out of the registry unless another
 * observation shares them.
 *
 * ```ts
 * import { register } from 'prom-client'
 * import { observeWithProm } from 'quorlock/metrics'
 *
 * const observation = observeWithProm({ redlock, keyClass: (key) => String(key).split(':')[0] })
 * app.get('/metrics', async (_request, response) => response.type(register.contentType).send(await register.metrics()))
 * ```
 *
 * May be called several times for different instances; they share the metrics.
 *
 * @throws {Error} with the code `ERR_QUORLOCK_OBSERVED`: the registry has this instance, this name, or a metric of
 * somebody else under one of the names already
 * @throws {Error} with the code `ERR_QUORLOCK_PEER_MISSING`: prom-client was not given and is not installed
 * @throws {TypeError | RangeError} for bad input
 */
export function observeWithProm(options: PromOptions): Observation

/** What is used of OpenTelemetry's `Meter`. */
export interface MetricsMeter {
  createHistogram(name: string, options?: object): { record(value: number, attributes?: Record<string, string>): void }
  createCounter(name: string, options?: object): { add(value: number, attributes?: Record<string, string>): void }
  createObservableCounter(name: string, options?: object): object
  createObservableUpDownCounter(name: string, options?: object): object
  createObservableGauge(name: string, options?: object): object
  addBatchObservableCallback(callback: never, observables: never): void
  removeBatchObservableCallback(callback: never, observables: never): void
}

export interface OpenTelemetryOptions extends ObserveOptions {
  /** The meter that makes the instruments, like `metrics.getMeter('orders')` of `@opentelemetry/api`. */
  meter: MetricsMeter
}

/**
 * Makes the instruments and keeps them up to date until `stop()`.
 *
 * @throws {Error} with the code `ERR_QUORLOCK_OBSERVED`: the meter has this instance or this name already
 * @throws {TypeError | RangeError} for bad input
 */
export function observeWithOpenTelemetry(options: OpenTelemetryOptions): Observation
