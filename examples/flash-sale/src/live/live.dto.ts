import { ApiProperty } from '@nestjs/swagger'
import { LocksStatus } from '../locks/locks.dto.js'

class StockNow {
  @ApiProperty()
  variantId!: string

  @ApiProperty()
  stock!: number
}

/** Of all processes, as the database says; null where it does not answer. */
export class Sales {
  @ApiProperty({ description: 'whether the database does not answer' })
  isStale!: boolean

  @ApiProperty({ type: [StockNow], nullable: true })
  stock!: StockNow[] | null

  @ApiProperty({ type: Number, nullable: true })
  orders!: number | null

  @ApiProperty({ type: Number, nullable: true })
  ordersPerSecond!: number | null
}

/** The data of one event. */
export class Live extends Sales {
  @ApiProperty({ description: 'Unix time in ms' })
  at!: number

  @ApiProperty()
  locks!: LocksStatus
}
