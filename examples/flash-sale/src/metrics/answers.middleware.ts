import { Injectable, type NestMiddleware } from '@nestjs/common'
import { MetricsService } from './metrics.service.js'

interface Response {
  statusCode: number
  once(event: 'finish', listener: () => void): void
}

@Injectable()
export class AnswersMiddleware implements NestMiddleware {
  constructor(private readonly metrics: MetricsService) {}

  use(_request: unknown, response: Response, next: () => void) {
    response.once('finish', () => this.metrics.answered(response.statusCode))
    next()
  }
}
