import { Column, CreateDateColumn, Entity, PrimaryGeneratedColumn } from 'typeorm'
import { asNumber } from '../database/number-column.js'

export type MovementKind = 'purchase' | 'cancellation' | 'adjustment'

/** One change of stock. An order has one purchase and one cancellation at most: a unique index sees to it. */
@Entity('stock_movements')
export class StockMovement {
  @PrimaryGeneratedColumn({ type: 'bigint' })
  id!: string

  @Column({ name: 'variant_id', type: 'text' })
  variantId!: string

  @Column({ name: 'order_id', type: 'uuid', nullable: true })
  orderId!: string | null

  /** Of an adjustment: who sends it again is given what it has made of the stock. A unique index sees to it. */
  @Column({ name: 'idempotency_key', type: 'text', nullable: true })
  idempotencyKey!: string | null

  @Column({ type: 'text' })
  kind!: MovementKind

  @Column({ type: 'integer' })
  delta!: number

  @Column({ name: 'stock_after', type: 'integer' })
  stockAfter!: number

  /** Of the lock under which it was made; null for a lock of the fallback, which has none. */
  @Column({ type: 'bigint', nullable: true, transformer: asNumber })
  token!: number | null

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date
}
