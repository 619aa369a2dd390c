// Orders when the process ends. Whoever has the lock of a product may have paid, and needs the lock of the stock afterwards;
// RedlockModule refuses both in `beforeApplicationShutdown`. So the first is refused before that, which keeps everybody
// from paying who has not begun to, and the second goes on being granted until those have ended who have.

import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common'
import { RedlockService } from 'quorlock/nestjs'
import { LOCK_MAX_HOLD_MS } from '../settings.js'
import { within } from '../within.js'
import { Admission } from './admission.js'

@Injectable()
export class OrdersShutdown implements OnModuleDestroy {
  private readonly logger = new Logger(OrdersShutdown.name)

  constructor(
    private readonly redlock: RedlockService,
    private readonly admission: Admission,
  ) {}

  /** The step before `beforeApplicationShutdown`, in all modules. An order whose lock is renewed no longer hangs. */
  async onModuleDestroy() {
    this.redlock.drain()
    const ended = within(LOCK_MAX_HOLD_MS, 'the last orders', this.admission.ended())
    await ended.catch((error: Error) => this.logger.warn(error.message))
  }
}
