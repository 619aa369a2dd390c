import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common'
import {
  ApiBadRequestResponse,
  ApiConflictResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiServiceUnavailableResponse,
  ApiTags,
} from '@nestjs/swagger'
import type { Variant } from '../catalogue/variant.entity.js'
import { RefusalView } from '../refusals/refusal.dto.js'
import { AdjustedStock, Adjustment, NewVariant, StockView } from './inventory.dto.js'
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
  @ApiOkResponse({ type: AdjustedStock })
  @ApiBadRequestResponse(BAD)
  @ApiNotFoundResponse(UNKNOWN)
  @ApiConflictResponse({
    type: RefusalView,
    description:
      'with Retry-After: others hold the lock, come again. Without: final, NOT_ENOUGH_STOCK or TOO_MUCH_STOCK',
  })
  async adjust(@Param('variantId', NamePipe) variantId: string, @Body() { delta }: Adjustment): Promise<AdjustedStock> {
    return { variantId, stock: await this.inventory.adjust(variantId, delta) }
  }
}

function view({ id, productId, stock }: Variant): StockView {
  return { variantId: id, productId, stock }
}
