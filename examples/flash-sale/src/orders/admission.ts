// How many orders this process works on at once. A crowd that waits in memory for its turn helps nobody: who cannot be
// served soon is told so at once, before anything is asked of the database or the locks.

import { Injectable } from '@nestjs/common'
import { busy } from '../refusals/refusal.js'
import { settings } from '../settings.js'

const RETRY_SECONDS = 3

@Injectable()
export class Admission {
  private readonly inWork = new Set<Promise<unknown>>()

  async admit<T>(work: () => Promise<T>): Promise<T> {
    if (this.inWork.size >= settings.ordersInWork) throw busy(RETRY_SECONDS)
    const working = work()
    this.inWork.add(working)
    try {
      return await working
    } finally {
      this.inWork.delete(working)
    }
  }

  /** Resolves when the orders that are in work now have ended, whatever comes in meanwhile. */
  async ended() {
    await Promise.allSettled(this.inWork)
  }
}
