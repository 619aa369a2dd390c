// The published types of prom-client, OpenTelemetry and Nest are what ours ask for. Compiled only.

import { type DynamicModule, Module } from '@nestjs/common'
import { type Meter, metrics } from '@opentelemetry/api'
import { MeterProvider } from '@opentelemetry/sdk-metrics'
import * as client from 'prom-client'
import { Redlock } from '../../../index.mjs'
import { observeWithOpenTelemetry, observeWithProm } from '../../../metrics/index.mjs'
import { RedlockMetricsModule } from '../../../nestjs/metrics/index.mjs'

export const redlock = new Redlock({ nodes: 'memory' })
const register = new client.Registry()
const meter: Meter = metrics.getMeter('orders')

observeWithProm({ redlock })
observeWithProm({ redlock, client, register, prefix: 'shop_', buckets: { acquire: [0.1, 1] } }).stop()
observeWithProm({ redlocks: { orders: redlock }, register: client.register, keyClass: () => 'orders' })
observeWithOpenTelemetry({ redlock, meter, keyClass: undefined })
observeWithOpenTelemetry({ redlock, meter: new MeterProvider().getMeter('orders') }).stop()

const dynamic: DynamicModule = RedlockMetricsModule.forRoot({ client, register })

@Module({ imports: [dynamic, RedlockMetricsModule.forRoot({ name: 'stock', meter, imports: [dynamic] })] })
export class AppModule {}

// @ts-expect-error no registry
observeWithProm({ redlock, register: client })
// @ts-expect-error no meter
observeWithOpenTelemetry({ redlock, meter: metrics })
// @ts-expect-error an option that does not exist
RedlockMetricsModule.forRoot({ names: ['orders'] })
