import type { ArgumentsHost } from '@nestjs/common'
import type { LockError } from 'quorlock'
import { RedlockExceptionFilter } from 'quorlock/nestjs'

const RETRY_SECONDS = 1

/**
 * The answers of quorlock/nestjs, each with a `Retry-After`, also where nobody knows when: by that header clients of this
 * service tell what is worth a second try from what is final. It has no `@Catch()` of its own, and so that of the class
 * that it extends, which leaves a deadlock out: that is a mistake, and a 500.
 */
export class LockRefusalFilter extends RedlockExceptionFilter {
  override catch(error: LockError, host: ArgumentsHost) {
    const response = host.switchToHttp().getResponse()
    if (!response.headersSent) response.setHeader('Retry-After', String(RETRY_SECONDS)) // what is known replaces it
    super.catch(error, host)
  }
}
