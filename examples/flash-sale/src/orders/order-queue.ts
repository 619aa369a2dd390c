import { InjectQueue } from '@nestjs/bullmq'
import { Injectable, Logger } from '@nestjs/common'
import type { Queue } from 'bullmq'

export const ORDER_QUEUE = 'orders'

export interface OrderJob {
  orderId: string
}

@Injectable()
export class OrderQueue {
  private readonly logger = new Logger(OrderQueue.name)

  constructor(@InjectQueue(ORDER_QUEUE) private readonly queue: Queue<OrderJob>) {
    queue.on('error', (error) => this.logger.warn(`the queue: ${error.message}`))
  }

  /**
   * Not awaited, and not needed for correctness: the order is in the database, and the sweep finds it there when this
   * is lost, with the process or with the queue's Redis.
   */
  add(orderId: string) {
    this.queue.add('confirm', { orderId }, options(orderId)).catch((error: Error) => {
      this.logger.warn(`order ${orderId} is not queued yet: ${error.message}`)
    })
  }

  async addAll(orderIds: string[]) {
    await this.queue.addBulk(
      orderIds.map((orderId) => ({ name: 'confirm', data: { orderId }, opts: options(orderId) })),
    )
  }

  async ping() {
    await this.queue.getJobCounts()
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
