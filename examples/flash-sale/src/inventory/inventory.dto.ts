import { ApiProperty } from '@nestjs/swagger'
import { IsInt, Matches, Max, Min, NotEquals } from 'class-validator'

/** What becomes part of a lock's key. */
export const NAME = /^[\w-]{1,64}$/
const MOST = 1_000_000

export class NewVariant {
  @ApiProperty({ example: 'shirt-m' })
  @Matches(NAME)
  variantId!: string

  @ApiProperty({ example: 'shirt' })
  @Matches(NAME)
  productId!: string
}

export class Adjustment {
  @ApiProperty({ example: 100, description: 'how many more; fewer where it is negative' })
  @IsInt()
  @Min(-MOST)
  @Max(MOST)
  @NotEquals(0)
  delta!: number
}

export class StockView {
  @ApiProperty()
  variantId!: string

  @ApiProperty()
  productId!: string

  @ApiProperty()
  stock!: number
}
