// One variant's row inside a transaction: locked FOR UPDATE, and written only with the token of a lock that is not late.

import type { EntityManager } from 'typeorm'
import { Variant } from '../catalogue/variant.entity.js'
import { cameLate, unknown } from '../refusals/refusal.js'
import { type MovementKind, StockMovement } from './stock-movement.entity.js'

export class StockRow {
  private constructor(
    readonly manager: EntityManager,
    private readonly variant: Variant,
    private readonly token: number,
  ) {}

  /** Waits for whoever has the row. Who has lost the lock to a later holder meanwhile ends here. */
  static async lock(manager: EntityManager, variantId: string, token: number) {
    const variant = await manager.findOne(Variant, {
      where: { id: variantId },
      lock: { mode: 'pessimistic_write' }, // SELECT … FOR UPDATE
    })
    if (!variant) throw unknown('variant', variantId)
    if (variant.fence > token) throw cameLate(variantId)
    return new StockRow(manager, variant, token)
  }

  get stock() {
    return this.variant.stock
  }

  /** The fenced write, and its line in the journal. */
  async change(delta: number, kind: MovementKind, orderId: string | null = null) {
    const { manager, variant, token } = this
    const stock = variant.stock + delta
    const { affected } = await manager
      .createQueryBuilder()
      .update(Variant)
      .set({ stock, fence: token })
      .where('id = :id AND fence <= :token', { id: variant.id, token })
      .execute()
    if (affected !== 1) throw cameLate(variant.id)
    await manager.insert(StockMovement, { variantId: variant.id, orderId, kind, delta, stockAfter: stock, token })
    variant.stock = stock
  }
}
