import { ApiProperty } from '@nestjs/swagger'
import { IsInt, Matches, Max, Min } from 'class-validator'
import { NAME } from '../inventory/inventory.dto.js'

export class TestDecrement {
  @ApiProperty({ example: 'shirt-m' })
  @Matches(NAME)
  variantId!: string

  @ApiProperty({ example: 1 })
  @IsInt()
  @Min(1)
  @Max(1000)
  quantity!: number
}

export class TestConcurrentAccess extends TestDecrement {
  @ApiProperty({ example: 20, description: 'how many decrements at once' })
  @IsInt()
  @Min(1)
  @Max(200)
  requests!: number
}
