import { HttpException } from '@nestjs/common'

/** No, and why: what every order that is not accepted gets. `retryAfter` (seconds) where coming again makes sense. */
export class Refusal extends HttpException {
  constructor(
    status: 404 | 409 | 429 | 503,
    readonly code: string,
    message: string,
    readonly retryAfter?: number,
    options?: { cause?: unknown },
  ) {
    super({ statusCode: status, code, message }, status, options)
  }
}

const SOLD_OUT = 'SOLD_OUT'

export const soldOut = (variantId: string, stock: number) =>
  new Refusal(409, SOLD_OUT, stock === 0 ? `"${variantId}" is sold out` : `only ${stock} of "${variantId}" are left`)

export const isSoldOut = (error: unknown) => error instanceof Refusal && error.code === SOLD_OUT

export const keyTaken = (key: string, what: 'order of this user' | 'adjustment') =>
  new Refusal(409, 'IDEMPOTENCY_KEY_USED', `the idempotency key "${key}" belongs to another ${what}`)

export const notEnough = (variantId: string, stock: number) =>
  new Refusal(409, 'NOT_ENOUGH_STOCK', `"${variantId}" has a stock of ${stock}, and it cannot fall below zero`)

export const tooMuch = (variantId: string, most: number) =>
  new Refusal(409, 'TOO_MUCH_STOCK', `the stock of "${variantId}" cannot be more than ${most}`)

export const cameLate = (variantId: string) =>
  new Refusal(409, 'CAME_LATE', `another has changed "${variantId}" after this lock was lost`, 1)

export const busy = (retryAfter: number) =>
  new Refusal(429, 'BUSY', 'too many orders are being worked on; come again', retryAfter)

export const late = () =>
  new Refusal(503, 'NO_ANSWER', 'this takes too long, and may still come to pass; the same request again tells', 1)

export const unknown = (what: string, id: string) => new Refusal(404, 'UNKNOWN', `there is no ${what} "${id}"`)
