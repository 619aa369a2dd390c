import { ApiProperty } from '@nestjs/swagger'
import { IsInt, Matches, Max, Min, NotEquals } from 'class-validator'

/** What becomes part of a lock's key. */
export const NAME = /^[\w-]{1,64}$/
const MOST = 1_000_000
/** Of one variant: its column ends at 2^31. */
export const MOST_STOCK = 1_000_000_000

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

export class AdjustedStock {
  @ApiProperty()
  variantId!: string

  @ApiProperty({ description: 'the stock afterwards' })
  stock!: number
}

export class StockView {
  @ApiProperty()
  variantId!: string

  @ApiProperty()
  productId!: string

  @ApiProperty()
  stock!: number
}
