// One variant's row inside a transaction: locked FOR UPDATE, and written only with the token of a lock that is not late.
//
// A lock of the fallback has no token. Its write goes by the row lock alone and leaves the fence where it is: a larger one
// would refuse the next holders on the nodes, whose tokens it is not made of. Who held a token before is still compared
// with the fence; and who still passes has read the stock under the row lock as everybody else, so it takes from what
// is left.

import type { EntityManager } from 'typeorm'
import { Variant } from '../catalogue/variant.entity.js'
import { cameLate, unknown } from '../refusals/refusal.js'
import { type MovementKind, StockMovement } from './stock-movement.entity.js'

/** For what the stock is changed. */
type Cause = Partial<Pick<StockMovement, 'orderId' | 'idempotencyKey'>>

export class StockRow {
  private constructor(
    readonly manager: EntityManager,
    private readonly variant: Variant,
    private readonly token: number | null,
  ) {}

  /** Waits for whoever has the row. Who has lost the lock to a later holder meanwhile ends here; null is no token. */
  static async lock(manager: EntityManager, variantId: string, token: number | null) {
    const variant = await manager.findOne(Variant, {
      where: { id: variantId },
      lock: { mode: 'pessimistic_write' }, // SELECT … FOR UPDATE
    })
    if (!variant) throw unknown('variant', variantId)
    if (token !== null && variant.fence > token) throw cameLate(variantId)
    return new StockRow(manager, variant, token)
  }

  get stock() {
    return this.variant.stock
  }

  /** The write, fenced where there is a token, of what was read and not changed since; and its line in the journal. */
  async change(delta: number, kind: MovementKind, { orderId = null, idempotencyKey = null }: Cause = {}) {
    const { manager, variant, token } = this
    const stock = variant.stock + delta
    const update = manager
      .createQueryBuilder()
      .update(Variant)
      .set(token === null ? { stock } : { stock, fence: token })
      .where('id = :id AND stock = :read', { id: variant.id, read: variant.stock })
    if (token !== null) update.andWhere('fence <= :token', { token })
    const { affected } = await update.execute()
    if (affected !== 1) throw cameLate(variant.id)
    const line = { variantId: variant.id, orderId, idempotencyKey, kind, delta, stockAfter: stock, token }
    await manager.insert(StockMovement, line)
    variant.stock = stock
  }
}
