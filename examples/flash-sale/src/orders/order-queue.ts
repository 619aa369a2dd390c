import { InjectQueue } from '@nestjs/bullmq'
import { Injectable, Logger } from '@nestjs/common'
import type { Queue } from 'bullmq'
import { within } from '../within.js'
import { QueueConnection } from './queue-connection.js'

export const ORDER_QUEUE = 'orders'

/** How long the queue's Redis has to answer. */
const ANSWER_LIMIT_MS = 2000

export interface OrderJob {
  orderId: string
}

@Injectable()
export class OrderQueue {
  private readonly logger = new Logger(OrderQueue.name)

  constructor(
    @InjectQueue(ORDER_QUEUE) private readonly queue: Queue<OrderJob>,
    private readonly connection: QueueConnection,
  ) {
    queue.on('error', () => {}) // of the connection, which says so itself; a call that needs it rejects
  }

  /**
   * Not awaited, and not needed for correctness: the order is in the database, and the sweep finds it there when this
   * is lost, with the process or with the queue's Redis.
   */
  add(orderId: string) {
    this.ask(() => this.queue.add('confirm', { orderId }, options(orderId))).catch((error: Error) => {
      this.logger.warn(`order ${orderId} is not queued yet: ${error.message}`)
    })
  }

  async addAll(orderIds: string[]) {
    const jobs = orderIds.map((orderId) => ({ name: 'confirm', data: { orderId }, opts: options(orderId) }))
    await this.ask(() => this.queue.addBulk(jobs))
  }

  async ping() {
    await this.ask(() => this.queue.getJobCounts())
  }

  /** BullMQ itself waits without a limit: for the first connection, and for an answer. */
  private async ask<T>(call: () => Promise<T>): Promise<T> {
    if (!this.connection.isUp) throw new Error('its Redis is not connected')
    return within(ANSWER_LIMIT_MS, 'its answer', call())
  }
}

/** The order's id is the job's: while a job is there, adding it again does nothing. Done or failed, it is gone. */
function options(orderId: string) {
  return {
    jobId: `order-${orderId}`,
    attempts: 5,
    backoff: { type: 'exponential', delay: 200 },
    removeOnComplete: true,
    removeOnFail: true, // the sweep brings it again
  }
}
