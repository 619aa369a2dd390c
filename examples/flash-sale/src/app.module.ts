import { Module } from '@nestjs/common'
import { APP_INTERCEPTOR } from '@nestjs/core'
import { TypeOrmModule } from '@nestjs/typeorm'
import { database } from './database/database.js'
import { HealthModule } from './health/health.module.js'
import { IdleConnections } from './idle-connections.js'
import { InventoryModule } from './inventory/inventory.module.js'
import { LiveModule } from './live/live.module.js'
import { LocksModule } from './locks/locks.module.js'
import { MetricsModule } from './metrics/metrics.module.js'
import { OrdersModule } from './orders/orders.module.js'
import { AnswerLimit } from './refusals/answer-limit.interceptor.js'
import { LookFirst } from './refusals/look-first.interceptor.js'
import { settings } from './settings.js'
import { TestingModule } from './testing/testing.module.js'

@Module({
  imports: [
    // Global modules are torn down last, in the reverse order of these: workers, then locks, then the database.
    TypeOrmModule.forRoot({ ...database }),
    LocksModule,
    InventoryModule,
    OrdersModule,
    HealthModule,
    MetricsModule,
    LiveModule,
    ...(settings.isTest ? [TestingModule] : []),
  ],
  providers: [
    IdleConnections,
    { provide: APP_INTERCEPTOR, useClass: LookFirst }, // around the next, whose errors it sees
    { provide: APP_INTERCEPTOR, useClass: AnswerLimit },
  ],
})
export class AppModule {}
