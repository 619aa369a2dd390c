import { BadRequestException, Body, Controller, Get, Headers, HttpCode, Param, Post } from '@nestjs/common'
import {
  ApiBadRequestResponse,
  ApiConflictResponse,
  ApiHeader,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiServiceUnavailableResponse,
  ApiTags,
} from '@nestjs/swagger'
import type { Variant } from '../catalogue/variant.entity.js'
import { CountsEachTime } from '../refusals/look-first.interceptor.js'
import { RefusalView } from '../refusals/refusal.dto.js'
import { AdjustedStock, Adjustment, NAME, NewVariant, StockView } from './inventory.dto.js'
import { InventoryService } from './inventory.service.js'
import { NamePipe } from './name.pipe.js'

const BAD = { type: RefusalView, description: 'not what is described here' }
const UNKNOWN = { type: RefusalView, description: 'there is no such variant' }

@ApiTags('inventory')
@ApiServiceUnavailableResponse({
  type: RefusalView,
  description: 'no database, or no lock: come again after Retry-After',
})
@Controller('inventory')
export class InventoryController {
  constructor(private readonly inventory: InventoryService) {}

  @Get()
  @ApiOkResponse({ type: [StockView] })
  async all(): Promise<StockView[]> {
    return (await this.inventory.all()).map(view)
  }

  @Get(':variantId')
  @ApiOkResponse({ type: StockView })
  @ApiBadRequestResponse(BAD)
  @ApiNotFoundResponse(UNKNOWN)
  async one(@Param('variantId', NamePipe) variantId: string): Promise<StockView> {
    return view(await this.inventory.find(variantId))
  }

  @Post()
  @HttpCode(200)
  @ApiOkResponse({ type: StockView, description: 'made, or there already' })
  @ApiBadRequestResponse(BAD)
  async create(@Body() { variantId, productId }: NewVariant): Promise<StockView> {
    return view(await this.inventory.create(variantId, productId))
  }

  @Post(':variantId/adjust')
  @HttpCode(200)
  @CountsEachTime('withoutKey')
  @ApiHeader({ name: 'Idempotency-Key', required: false, description: 'the same key again changes nothing' })
  @ApiOkResponse({
    type: AdjustedStock,
    description: 'the stock afterwards; of a repetition, as it was after the first',
  })
  @ApiBadRequestResponse(BAD)
  @ApiNotFoundResponse(UNKNOWN)
  @ApiConflictResponse({
    type: RefusalView,
    description:
      'with Retry-After: others hold the lock, come again. Without: final, NOT_ENOUGH_STOCK, TOO_MUCH_STOCK or IDEMPOTENCY_KEY_USED',
  })
  @ApiServiceUnavailableResponse({
    type: RefusalView,
    description:
      'with Retry-After: come again, with the same key. Without, where there was no key: it may have come to pass, look at the stock first',
  })
  async adjust(
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @Param('variantId', NamePipe) variantId: string,
    @Body() { delta }: Adjustment,
  ): Promise<AdjustedStock> {
    if (idempotencyKey !== undefined && !NAME.test(idempotencyKey)) {
      throw new BadRequestException('the header Idempotency-Key is 1 to 64 letters, digits, "_" and "-"')
    }
    return { variantId, stock: await this.inventory.adjust(variantId, delta, idempotencyKey) }
  }
}

function view({ id, productId, stock }: Variant): StockView {
  return { variantId: id, productId, stock }
}
