// How many orders this process works on at once. A crowd that waits in memory for its turn helps nobody: who cannot be
// served soon is told so at once, before anything is asked of the database or the locks.

import { Injectable } from '@nestjs/common'
import { busy } from '../refusals/refusal.js'
import { settings } from '../settings.js'

const RETRY_SECONDS = 3

@Injectable()
export class Admission {
  private inWork = 0

  async admit<T>(work: () => Promise<T>): Promise<T> {
    if (this.inWork >= settings.ordersInWork) throw busy(RETRY_SECONDS)
    this.inWork++
    try {
      return await work()
    } finally {
      this.inWork--
    }
  }
}
