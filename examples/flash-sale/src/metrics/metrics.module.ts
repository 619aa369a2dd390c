// What Prometheus asks for. A key is no label, since there is one per product and one per request; its kind is.

import { type MiddlewareConsumer, Module, type NestModule, RequestMethod } from '@nestjs/common'
import { RedlockMetricsModule } from 'quorlock/nestjs/metrics'
import { FENCED, kindOf } from '../locks/locks.js'
import { AnswersMiddleware } from './answers.middleware.js'
import { MetricsController } from './metrics.controller.js'
import { MetricsService } from './metrics.service.js'
import { registry } from './registry.js'

const options = { register: registry, keyClass: (key: string | readonly string[]) => kindOf(String(key)) }

@Module({
  imports: [RedlockMetricsModule.forRoot(options), RedlockMetricsModule.forRoot({ ...options, name: FENCED })],
  controllers: [MetricsController],
  providers: [MetricsService],
})
export class MetricsModule implements NestModule {
  configure(consumer: MiddlewareConsumer) {
    consumer.apply(AnswersMiddleware).forRoutes({ path: 'orders', method: RequestMethod.POST })
  }
}
