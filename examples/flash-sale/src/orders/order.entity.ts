import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm'

/** `accepted`: paid for and taken from stock. `confirmed`: the queue has worked it. */
export type OrderStatus = 'accepted' | 'confirmed' | 'cancelled'

/** One order of a user per idempotency key: a unique index has the last word. */
@Entity('orders')
export class Order {
  @PrimaryColumn({ type: 'uuid' })
  id!: string

  @Column({ name: 'user_id', type: 'text' })
  userId!: string

  @Column({ name: 'idempotency_key', type: 'text' })
  idempotencyKey!: string

  @Column({ name: 'variant_id', type: 'text' })
  variantId!: string

  @Column({ type: 'integer' })
  quantity!: number

  @Column({ type: 'text' })
  status!: OrderStatus

  /** Whether the product's lock came from the fallback: sold while only the database stood between two buyers. */
  @Column({ type: 'boolean', default: false })
  degraded!: boolean

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date
}
