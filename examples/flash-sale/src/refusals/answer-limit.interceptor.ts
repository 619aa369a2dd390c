import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common'
import { catchError, TimeoutError, throwError, timeout } from 'rxjs'
import { settings } from '../settings.js'
import { late } from './refusal.js'

/**
 * Nobody waits for ever for a database that hangs. The work goes on behind a 503 until the database ends it, or the limit
 * of its connection does: the statement alone must not be given up, since whoever has the connection next would commit
 * the transaction that it leaves open.
 */
@Injectable()
export class AnswerLimit implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler) {
    return next.handle().pipe(
      timeout({ first: settings.answerLimitMs }),
      catchError((error) => throwError(() => (error instanceof TimeoutError ? late() : error))),
    )
  }
}
