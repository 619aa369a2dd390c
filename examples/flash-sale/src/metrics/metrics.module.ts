import { type MiddlewareConsumer, Module, type NestModule, RequestMethod } from '@nestjs/common'
import { LocksModule } from '../locks/locks.module.js'
import { AnswersMiddleware } from './answers.middleware.js'
import { MetricsController } from './metrics.controller.js'
import { MetricsService } from './metrics.service.js'

@Module({ imports: [LocksModule], controllers: [MetricsController], providers: [MetricsService] })
export class MetricsModule implements NestModule {
  configure(consumer: MiddlewareConsumer) {
    consumer.apply(AnswersMiddleware).forRoutes({ path: 'orders', method: RequestMethod.POST })
  }
}
