import { setTimeout as sleep } from 'node:timers/promises'
import { Injectable } from '@nestjs/common'
import { settings } from '../settings.js'

/** Stands for the payment service that a real shop would ask here: nothing but the time it takes. */
@Injectable()
export class PaymentsService {
  /** Ends with the signal's reason, a LockLostError, as soon as the lock is lost. */
  async authorise(signal: AbortSignal) {
    try {
      await sleep(settings.paymentMs, undefined, { signal })
    } catch (error) {
      throw signal.aborted ? signal.reason : error
    }
  }
}
