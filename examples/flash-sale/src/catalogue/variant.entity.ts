import { Column, Entity, PrimaryColumn } from 'typeorm'
import { asNumber } from '../database/number-column.js'

/** What can be bought: a product in one size or colour, and how many there are. */
@Entity('variants')
export class Variant {
  @PrimaryColumn({ type: 'text' })
  id!: string

  @Column({ name: 'product_id', type: 'text' })
  productId!: string

  /** The table refuses a number below zero by a constraint, whoever writes it. */
  @Column({ type: 'integer' })
  stock!: number

  /** The largest token that this row has seen: who comes with a smaller one has lost the lock, and is refused. */
  @Column({ type: 'bigint', transformer: asNumber })
  fence!: number
}
