import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm'

/** That an order has been worked: once, since the order is the key. */
@Entity('confirmations')
export class Confirmation {
  @PrimaryColumn({ name: 'order_id', type: 'uuid' })
  orderId!: string

  /** The process that did it. */
  @Column({ type: 'integer' })
  pid!: number

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date
}
