// Everything that comes from the environment, read once.

const number = (name: string, fallback: number) => {
  const text = process.env[name]
  if (!text) return fallback
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${name} must be a whole number, not "${text}"`)
  return value
}

const required = (name: string) => {
  const value = process.env[name]
  if (!value) throw new TypeError(`${name} is not set; see examples/flash-sale/README.md`)
  return value
}

export const settings = Object.freeze({
  port: number('PORT', 3000),
  databaseUrl: required('DATABASE_URL'),
  queueUrl: required('QUEUE_URL'),
  lockNodes: required('QUORLOCK_NODES').split(','),
  isTest: process.env.NODE_ENV === 'test',

  /** How long asking the payment service takes. There is none: it is time that passes under the product's lock. */
  paymentMs: number('PAYMENT_MS', 20),

  /** How many orders this process works on at once; who comes then is told to come again (429). */
  ordersInWork: number('ORDERS_IN_WORK', 50),

  /** How long an order waits for the product's lock; who waits longer is told to come again (409). */
  orderWaitMs: number('ORDER_WAIT_MS', 5000),

  /** How long any answer may take; who waits longer is told to come again (503). Longer than waiting for all locks. */
  answerLimitMs: number('ANSWER_LIMIT_MS', number('ORDER_WAIT_MS', 5000) + 15_000),
})

/** The ttl of every lock. Renewed while the work goes on; what a killed process held is free after this long. */
export const LOCK_TTL_MS = 5000

/**
 * How long a lock is renewed: the wait for another inside it, a payment, and as long as Postgres takes for a statement. A
 * section that hangs keeps its key from the other processes for this and a ttl.
 */
export const LOCK_MAX_HOLD_MS = settings.orderWaitMs + settings.paymentMs + 5000

/** No longer than needed, since a node that has restarted does not vote until this has passed. The same everywhere. */
export const LOCK_MAX_TTL_MS = LOCK_TTL_MS
