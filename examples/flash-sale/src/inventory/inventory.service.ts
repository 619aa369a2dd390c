// The only code that changes stock. Three layers: the distributed lock keeps the crowd away from the row, the row lock
// makes reading and writing one step, and the token refuses who has lost the lock without knowing. The row lock is taken
// by everybody, so that it holds also between those whom the lock nodes let in and those whom the fallback does.

import { Injectable } from '@nestjs/common'
import { InjectDataSource, InjectRepository } from '@nestjs/typeorm'
import type { Redlock } from 'quorlock'
import { InjectRedlock } from 'quorlock/nestjs'
import { DataSource, type EntityManager, QueryFailedError, Repository } from 'typeorm'
import { Variant } from '../catalogue/variant.entity.js'
import { CountedLocks } from '../locks/counted-locks.js'
import { FENCED } from '../locks/locks.js'
import { Order } from '../orders/order.entity.js'
import { keyTaken, notEnough, soldOut, tooMuch, unknown } from '../refusals/refusal.js'
import { LOCK_TTL_MS } from '../settings.js'
import { MOST_STOCK } from './inventory.dto.js'
import { StockMovement } from './stock-movement.entity.js'
import { StockRow } from './stock-row.js'

type Adjustment = Pick<StockMovement, 'variantId' | 'delta' | 'idempotencyKey'>

@Injectable()
export class InventoryService {
  constructor(
    @InjectRedlock(FENCED) private readonly redlock: Redlock<true>,
    private readonly locks: CountedLocks,
    @InjectDataSource() private readonly database: DataSource,
    @InjectRepository(Variant) private readonly variants: Repository<Variant>,
  ) {}

  all() {
    return this.variants.find({ order: { id: 'ASC' } })
  }

  async find(variantId: string) {
    const variant = await this.variants.findOneBy({ id: variantId })
    if (!variant) throw unknown('variant', variantId)
    return variant
  }

  /** Makes the variant where there is none; its stock comes by {@link adjust}. */
  async create(variantId: string, productId: string) {
    await this.variants
      .createQueryBuilder()
      .insert()
      .values({ id: variantId, productId, stock: 0, fence: 0 })
      .orIgnore()
      .execute()
    return this.find(variantId)
  }

  /**
   * More, or less by a negative `delta`. With a key it is done once, however often it is asked for, and gives the stock as it
   * was then.
   */
  async adjust(variantId: string, delta: number, idempotencyKey: string | null = null) {
    const adjustment = { variantId, delta, idempotencyKey }
    await this.find(variantId) // no lock is asked for in the name of what there is not
    const earlier = () => this.earlier(this.database.manager, adjustment)
    try {
      return (await earlier()) ?? (await this.withRow(variantId, (row) => this.adjustOnce(row, adjustment)))
    } catch (error) {
      // One key for two variants at the same moment: their rows keep nobody from that, the index does.
      const other = isDuplicate(error) ? await earlier() : undefined
      if (other === undefined) throw error
      return other
    }
  }

  private async adjustOnce(row: StockRow, adjustment: Adjustment) {
    const { variantId, delta, idempotencyKey } = adjustment
    const earlier = await this.earlier(row.manager, adjustment) // also what was written while this waited for the row
    if (earlier !== undefined) return earlier
    if (row.stock + delta < 0) throw notEnough(variantId, row.stock)
    if (row.stock + delta > MOST_STOCK) throw tooMuch(variantId, MOST_STOCK)
    await row.change(delta, 'adjustment', { idempotencyKey })
    return row.stock
  }

  /** What the same request has made of the stock before. */
  private async earlier(manager: EntityManager, { variantId, delta, idempotencyKey }: Adjustment) {
    if (idempotencyKey === null) return undefined
    const line = await manager.findOneBy(StockMovement, { idempotencyKey })
    if (line && (line.variantId !== variantId || line.delta !== delta)) throw keyTaken(idempotencyKey, 'adjustment')
    return line?.stockAfter
  }

  /** Writes the order and takes it from stock, both or neither. */
  purchase(order: Pick<Order, 'id' | 'userId' | 'idempotencyKey' | 'variantId' | 'quantity' | 'degraded'>) {
    return this.withRow(order.variantId, async (row) => {
      if (row.stock < order.quantity) throw soldOut(order.variantId, row.stock)
      await row.manager.insert(Order, { ...order, status: 'accepted' })
      await row.change(-order.quantity, 'purchase', { orderId: order.id })
      return row.manager.findOneByOrFail(Order, { id: order.id })
    })
  }

  /** Puts it back into stock, once, however often it is asked for. */
  cancel({ id, variantId }: Pick<Order, 'id' | 'variantId'>) {
    return this.withRow(variantId, async (row) => {
      const order = await row.manager.findOneOrFail(Order, { where: { id }, lock: { mode: 'pessimistic_write' } })
      if (order.status === 'cancelled') return order
      await row.change(order.quantity, 'cancellation', { orderId: id })
      await row.manager.update(Order, { id }, { status: 'cancelled' })
      return { ...order, status: 'cancelled' as const }
    })
  }

  private withRow<T>(variantId: string, section: (row: StockRow) => Promise<T>): Promise<T> {
    return this.locks.withLock(this.redlock, `inventory_lock:${variantId}`, LOCK_TTL_MS, ({ degraded, token }) =>
      this.database.transaction(async (manager) =>
        section(await StockRow.lock(manager, variantId, degraded ? null : token)),
      ),
    )
  }
}

const UNIQUE_VIOLATION = '23505'

/** That another transaction has written the same before. */
export function isDuplicate(error: unknown) {
  return error instanceof QueryFailedError && (error.driverError as { code?: string }).code === UNIQUE_VIOLATION
}
