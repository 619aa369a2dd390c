import { Injectable } from '@nestjs/common'
import { Counter } from 'prom-client'
import { registry } from './registry.js'

@Injectable()
export class MetricsService {
  private readonly answers = new Counter({
    name: 'flash_sale_answers_total',
    help: 'answers to POST /api/v1/orders, by status',
    labelNames: ['status'],
    registers: [registry],
  })

  answered(status: number) {
    this.answers.inc({ status: String(status) })
  }

  read() {
    return registry.metrics()
  }
}
