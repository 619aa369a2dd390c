// Metrics of a Redlock instance for as long as a Nest application runs. docs/metrics.md has the table of them.

import type { MetricsMeter, ObserveOptions, PromClient, PromRegistry } from '../../metrics/index.js'

export interface RedlockMetricsOptions extends Pick<ObserveOptions, 'keyClass' | 'buckets'> {
  /** Which instance of the container: its name in `RedlockModule`, and in the label `redlock`. @default 'default' */
  name?: string | undefined
  /** Modules that export the instance; not needed where `RedlockModule` is global. @default [] */
  imports?: readonly unknown[] | undefined
  /** What prom-client exports. @default the package `prom-client` */
  client?: PromClient | undefined
  /** A registry of prom-client. @default the global one */
  register?: PromRegistry | undefined
  /** Before each name in the registry. @default 'quorlock_' */
  prefix?: string | undefined
  /** A meter of OpenTelemetry. Given alone, prom-client is not used; with `client` or `register`, both are. @default undefined */
  meter?: MetricsMeter | undefined
}

/**
 * Starts observing when the module is initialised and stops when the application shuts down.
 *
 * ```ts
 * @Module({
 *   imports: [
 *     RedlockModule.forRoot({ nodes, isGlobal: true }),
 *     RedlockMetricsModule.forRoot({ keyClass: (key) => String(key).split(':')[0] }),
 *   ],
 * })
 * export class AppModule {}
 * ```
 *
 * Imported once for each instance. The application does not start without the instance (`ERR_QUORLOCK_NOT_PROVIDED`),
 * nor where `observeWithProm` or `observeWithOpenTelemetry` throws, as for a second application that observes an instance of
 * the same name in the same place (`ERR_QUORLOCK_OBSERVED`). Of two that start at once, one does not. An application that has
 * begun to close (its hooks `onModuleDestroy`) gives way to the next one, as in a hot reload, and counts no more.
 */
// biome-ignore lint/complexity/noStaticOnlyClass: Nest knows a module by its class
export class RedlockMetricsModule {
  /** @throws {TypeError | RangeError} for bad input */
  static forRoot(options?: RedlockMetricsOptions): {
    module: typeof RedlockMetricsModule
    imports: never[]
    providers: { provide: string; useFactory: (...args: unknown[]) => unknown }[]
  }
}
