import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger'
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

export class ConcurrentAccess {
  @ApiProperty()
  variantId!: string

  @ApiProperty()
  requests!: number

  @ApiProperty()
  succeeded!: number

  @ApiProperty({ type: 'object', additionalProperties: { type: 'integer' }, description: 'how many, by their code' })
  refusals!: Record<string, number>

  @ApiProperty()
  before!: number

  @ApiProperty()
  after!: number

  @ApiProperty({ description: 'whether the stock has changed by exactly what succeeded' })
  consistent!: boolean
}

class ClearedNode {
  @ApiProperty()
  node!: number

  @ApiPropertyOptional({ type: [String] })
  cleared?: string[]

  @ApiPropertyOptional({ description: 'why it could not be cleared' })
  error?: string
}

export class ClearedLocks {
  @ApiProperty({ type: [ClearedNode] })
  nodes!: ClearedNode[]
}
