import { OnWorkerEvent, Processor, WorkerHost } from '@nestjs/bullmq'
import { type BeforeApplicationShutdown, Logger } from '@nestjs/common'
import type { Job } from 'bullmq'
import { settings } from '../settings.js'
import { within } from '../within.js'
import { ORDER_QUEUE, type OrderJob } from './order-queue.js'
import { OrdersService } from './orders.service.js'

/** How long jobs that are at work may take to end when the process does. */
const END_LIMIT_MS = 5000

/** A job whose process was killed is given to another after `lockDuration`, as often as it takes. */
@Processor(ORDER_QUEUE, {
  connection: { url: settings.queueUrl, maxRetriesPerRequest: null },
  ...{ concurrency: 5, lockDuration: 5000, stalledInterval: 2000, maxStalledCount: 100 },
})
export class OrderProcessor extends WorkerHost implements BeforeApplicationShutdown {
  private readonly logger = new Logger(OrderProcessor.name)

  constructor(private readonly orders: OrdersService) {
    super()
  }

  async process({ data: { orderId } }: Job<OrderJob>) {
    return this.orders.confirm(orderId)
  }

  /**
   * The end that BullMQ makes by itself waits without a limit for a Redis that is away. This one waits for the jobs that are
   * at work, then needs no answer any more. Whoever closes the worker later finds it closed.
   */
  async beforeApplicationShutdown() {
    const warn = (error: Error) => this.logger.warn(`jobs are left to others: ${error.message}`)
    await within(END_LIMIT_MS, 'their end', this.worker.pause()).catch(warn)
    await within(END_LIMIT_MS, 'closing the worker', this.worker.close(true)).catch(warn)
  }

  @OnWorkerEvent('error')
  onError(error: Error) {
    this.logger.warn(`the queue: ${error.message}`)
  }
}
