// Locks that were refused are answered by LockRefusalFilter: taken 409, no quorum 503. All other errors come here.

import { type ArgumentsHost, Catch } from '@nestjs/common'
import { BaseExceptionFilter } from '@nestjs/core'
import { asRefusal } from './as-refusal.js'
import { Refusal } from './refusal.js'

@Catch()
export class RefusalFilter extends BaseExceptionFilter {
  override catch(error: unknown, host: ArgumentsHost) {
    const refusal = asRefusal(error)
    if (refusal instanceof Refusal && refusal.retryAfter !== undefined) {
      host.switchToHttp().getResponse().setHeader('Retry-After', String(refusal.retryAfter))
    }
    super.catch(refusal, host)
  }
}
