// What counts each time it is asked for must not be asked for again on suspicion: where nobody knows whether it has come to
// pass, since the database went away meanwhile or takes too long, its 503 has no Retry-After.

import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common'
import { Reflector } from '@nestjs/core'
import { catchError, throwError } from 'rxjs'
import { asRefusal } from './as-refusal.js'
import { Refusal } from './refusal.js'

/** Says so of a handler: 'always', or where the request has no idempotency key. */
export const CountsEachTime = Reflector.createDecorator<'always' | 'withoutKey'>()

/** Around AnswerLimit, whose refusal is one of these. */
@Injectable()
export class LookFirst implements NestInterceptor {
  constructor(private readonly reflector: Reflector) {}

  intercept(context: ExecutionContext, next: CallHandler) {
    const counts = this.reflector.get(CountsEachTime, context.getHandler())
    const { headers } = context.switchToHttp().getRequest()
    if (!counts || (counts === 'withoutKey' && headers['idempotency-key'])) return next.handle()
    return next.handle().pipe(catchError((error) => throwError(() => lookFirst(asRefusal(error)))))
  }
}

function lookFirst(error: unknown) {
  if (!(error instanceof Refusal) || error.getStatus() !== 503) return error
  const message = 'this may have come to pass, or may yet; look at the stock first'
  return new Refusal(503, error.code, message, undefined, { cause: error })
}
