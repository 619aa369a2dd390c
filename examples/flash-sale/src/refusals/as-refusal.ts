// What somebody else's being away is answered with: a database, or a lock that was lost. Nothing of that is a 500.

import { LockLostError } from 'quorlock'
import { QueryFailedError, QueryRunnerAlreadyReleasedError } from 'typeorm'
import { Refusal } from './refusal.js'

/** Of Node, for connections and names: nobody there, no way there, no answer. */
const NOT_REACHED = /^(ECONN|EPIPE|ENOENT|ETIMEDOUT|EHOST|ENET|ENOTFOUND|EAI_AGAIN)/
/**
 * The classes of Postgres for: connection, resources, operator (shutdown), serialization. And 25006, a server that only reads,
 * as one does that another is taking over from; 25P03, a transaction that has had a break of more than
 * `idle_in_transaction_session_timeout`.
 */
const NOT_NOW = /^(08|53|57|40|25006|25P03)/
/** Errors without a code: of the pool, and of a client whose connection has ended. */
const POOL_AWAY = /timeout exceeded when trying to connect|Connection terminated|not queryable|Driver not Connected/i

const RETRY_SECONDS = 1

/** All other errors stay what they are. */
export function asRefusal(error: unknown) {
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
  // A connection that has ended between two statements of a transaction: TypeORM has taken it away before the second.
  if (error instanceof QueryRunnerAlreadyReleasedError) return true
  const { code } = (error instanceof QueryFailedError ? error.driverError : error) as { code?: unknown }
  if (typeof code === 'string' && (NOT_REACHED.test(code) || NOT_NOW.test(code))) return true
  return POOL_AWAY.test(error.message)
}
