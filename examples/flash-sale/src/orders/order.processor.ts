import { OnWorkerEvent, Processor, WorkerHost } from '@nestjs/bullmq'
import { Logger } from '@nestjs/common'
import type { Job } from 'bullmq'
import { ORDER_QUEUE, type OrderJob } from './order-queue.js'
import { OrdersService } from './orders.service.js'

/** A job whose process was killed is given to another after `lockDuration`, as often as it takes. */
@Processor(ORDER_QUEUE, { concurrency: 5, lockDuration: 5000, stalledInterval: 2000, maxStalledCount: 100 })
export class OrderProcessor extends WorkerHost {
  private readonly logger = new Logger(OrderProcessor.name)

  constructor(private readonly orders: OrdersService) {
    super()
  }

  async process({ data: { orderId } }: Job<OrderJob>) {
    return this.orders.confirm(orderId)
  }

  @OnWorkerEvent('error')
  onError(error: Error) {
    this.logger.warn(`the queue: ${error.message}`)
  }
}
