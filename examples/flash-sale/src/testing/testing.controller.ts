import { Body, Controller, HttpCode, Post } from '@nestjs/common'
import {
  ApiBadRequestResponse,
  ApiConflictResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiServiceUnavailableResponse,
  ApiTags,
} from '@nestjs/swagger'
import { AdjustedStock } from '../inventory/inventory.dto.js'
import { InventoryService } from '../inventory/inventory.service.js'
import { CountsEachTime } from '../refusals/look-first.interceptor.js'
import { RefusalView } from '../refusals/refusal.dto.js'
import { Refusal } from '../refusals/refusal.js'
import { TestLocksService } from './test-locks.service.js'
import { ClearedLocks, ConcurrentAccess, TestConcurrentAccess, TestDecrement } from './testing.dto.js'

const BAD = { type: RefusalView, description: 'not what is described here' }
const UNKNOWN = { type: RefusalView, description: 'there is no such variant' }
const TAKEN = { type: RefusalView, description: 'as adjusting' }
const AWAY = { type: RefusalView, description: 'as adjusting without a key' }

@ApiTags('test')
@Controller('test')
export class TestingController {
  constructor(
    private readonly inventory: InventoryService,
    private readonly locks: TestLocksService,
  ) {}

  @Post('inventory/test-decrement')
  @HttpCode(200)
  @CountsEachTime('always')
  @ApiOkResponse({ type: AdjustedStock })
  @ApiBadRequestResponse(BAD)
  @ApiNotFoundResponse(UNKNOWN)
  @ApiConflictResponse(TAKEN)
  @ApiServiceUnavailableResponse(AWAY)
  async decrement(@Body() { variantId, quantity }: TestDecrement): Promise<AdjustedStock> {
    return { variantId, stock: await this.inventory.adjust(variantId, -quantity) }
  }

  /** Many decrements at once, and whether the stock says afterwards what was answered. */
  @Post('inventory/test-concurrent-access')
  @HttpCode(200)
  @CountsEachTime('always')
  @ApiOkResponse({ type: ConcurrentAccess })
  @ApiBadRequestResponse(BAD)
  @ApiNotFoundResponse(UNKNOWN)
  @ApiServiceUnavailableResponse(AWAY)
  async concurrentAccess(@Body() { variantId, quantity, requests }: TestConcurrentAccess): Promise<ConcurrentAccess> {
    const { stock: before } = await this.inventory.find(variantId)
    const ends = await Promise.allSettled(
      Array.from({ length: requests }, () => this.inventory.adjust(variantId, -quantity)),
    )
    const { stock: after } = await this.inventory.find(variantId)
    const succeeded = ends.filter(({ status }) => status === 'fulfilled').length
    const refusals: Record<string, number> = {}
    for (const end of ends) {
      if (end.status === 'fulfilled') continue
      const { code } = end.reason as Refusal
      refusals[code ?? String(end.reason)] = (refusals[code ?? String(end.reason)] ?? 0) + 1
    }
    return {
      variantId,
      requests,
      succeeded,
      refusals,
      before,
      after,
      consistent: before - after === succeeded * quantity,
    }
  }

  @Post('locks/clear-test-locks')
  @HttpCode(200)
  @ApiOkResponse({ type: ClearedLocks })
  async clearTestLocks(): Promise<ClearedLocks> {
    return { nodes: await this.locks.clear() }
  }
}
