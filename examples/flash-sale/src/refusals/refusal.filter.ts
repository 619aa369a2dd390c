// Nothing is a 500 that is only somebody else being away: a database, or a lock that was lost. Locks that were refused are
// answered by the filter of quorlock/nestjs: taken 409, no quorum 503.

import { type ArgumentsHost, Catch } from '@nestjs/common'
import { BaseExceptionFilter } from '@nestjs/core'
import { LockLostError } from 'quorlock'
import { QueryFailedError } from 'typeorm'
import { Refusal } from './refusal.js'

/** Of Node for connections, and the classes of Postgres for: connection, resources, operator (shutdown), serialization. */
const DATABASE_AWAY = /^(ECONN|EPIPE|ENOENT|ENOTFOUND|ETIMEDOUT|08|53|57|40)/
const POOL_AWAY = /timeout exceeded when trying to connect|Connection terminated|Driver not Connected/i

const RETRY_SECONDS = 1

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

function asRefusal(error: unknown) {
  if (error instanceof LockLostError) {
    return new Refusal(503, error.code, 'the lock was lost; come again', RETRY_SECONDS, { cause: error })
  }
  if (isDatabaseAway(error)) {
    return new Refusal(503, 'DATABASE_UNAVAILABLE', 'the database is not available now; come again', RETRY_SECONDS, {
      cause: error,
    })
  }
  return error
}

function isDatabaseAway(error: unknown) {
  if (!(error instanceof Error)) return false
  const { code } = (error instanceof QueryFailedError ? error.driverError : error) as { code?: unknown }
  return (typeof code === 'string' && DATABASE_AWAY.test(code)) || POOL_AWAY.test(error.message)
}
