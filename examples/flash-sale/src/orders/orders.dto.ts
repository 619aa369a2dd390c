import { ApiProperty } from '@nestjs/swagger'
import { IsInt, Matches, Max, Min } from 'class-validator'
import { NAME } from '../inventory/inventory.dto.js'
import type { OrderStatus } from './order.entity.js'

const MOST_PER_ORDER = 10

export class NewOrder {
  @ApiProperty({ example: 'anna' })
  @Matches(NAME)
  userId!: string

  @ApiProperty({ example: 'shirt-m' })
  @Matches(NAME)
  variantId!: string

  @ApiProperty({ example: 1, minimum: 1, maximum: MOST_PER_ORDER })
  @IsInt()
  @Min(1)
  @Max(MOST_PER_ORDER)
  quantity!: number
}

export class OrderView {
  @ApiProperty({ format: 'uuid' })
  id!: string

  @ApiProperty()
  userId!: string

  @ApiProperty()
  variantId!: string

  @ApiProperty()
  quantity!: number

  @ApiProperty({ enum: ['accepted', 'confirmed', 'cancelled'] })
  status!: OrderStatus

  @ApiProperty()
  createdAt!: Date
}
