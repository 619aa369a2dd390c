import { Module } from '@nestjs/common'
import { TerminusModule } from '@nestjs/terminus'
import { RedlockHealthIndicator } from 'quorlock/nestjs/terminus'
import { OrdersModule } from '../orders/orders.module.js'
import { HealthController } from './health.controller.js'

@Module({
  imports: [TerminusModule, OrdersModule],
  controllers: [HealthController],
  providers: [RedlockHealthIndicator],
})
export class HealthModule {}
