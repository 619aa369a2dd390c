import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger'

/** The body of every answer that is none of the 2xx. */
export class RefusalView {
  @ApiProperty()
  statusCode!: number

  @ApiPropertyOptional({ example: 'SOLD_OUT', description: 'not of 400' })
  code?: string

  @ApiProperty({ oneOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] })
  message!: string | string[]

  @ApiPropertyOptional({ description: 'the words of the status' })
  error?: string
}
