// Brings orders back to the queue that are accepted and not confirmed: their process ended between the commit and the
// queue, or the queue's Redis has lost them. One process at a time does it, which saves work and is all the lock is for.

import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common'
import { currentLock, isLockError, type Lock } from 'quorlock'
import { WithLock } from 'quorlock/nestjs'
import { CountedLocks } from '../locks/counted-locks.js'
import { LOCK_TTL_MS } from '../settings.js'
import { within } from '../within.js'
import { OrderQueue } from './order-queue.js'
import { OrdersService } from './orders.service.js'

const EVERY_MS = 1000
const OVERDUE_MS = 2000
const AT_ONCE = 200
/** How long a sweep that is at work may take to end when the process does. */
const END_LIMIT_MS = 5000

@Injectable()
export class OrderSweep implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(OrderSweep.name)
  private timer?: NodeJS.Timeout
  private running: Promise<void> = Promise.resolve()

  constructor(
    private readonly orders: OrdersService,
    private readonly queue: OrderQueue,
    private readonly locks: CountedLocks,
  ) {}

  onApplicationBootstrap() {
    this.timer = setTimeout(() => {
      this.running = this.sweep()
        .catch((error: Error) => {
          if (!isLockError(error)) this.logger.warn(`orders are not swept: ${error.message}`)
        })
        .finally(() => this.timer && this.onApplicationBootstrap())
    }, EVERY_MS)
  }

  async beforeApplicationShutdown() {
    clearTimeout(this.timer)
    this.timer = undefined
    await within(END_LIMIT_MS, 'the sweep', this.running).catch((error: Error) => this.logger.warn(error.message))
  }

  @WithLock('lock:order_sweep', { ttl: LOCK_TTL_MS, wait: 0, whenContended: 'skip' })
  async sweep() {
    await this.locks.holding(currentLock() as Lock, async () => {
      const overdue = await this.orders.overdue(OVERDUE_MS, AT_ONCE)
      if (overdue.length > 0) await this.queue.addAll(overdue)
    })
  }
}
