import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common'
import { ApiConflictResponse, ApiOkResponse, ApiServiceUnavailableResponse, ApiTags } from '@nestjs/swagger'
import type { Variant } from '../catalogue/variant.entity.js'
import { Adjustment, NewVariant, StockView } from './inventory.dto.js'
import { InventoryService } from './inventory.service.js'

@ApiTags('inventory')
@ApiServiceUnavailableResponse({ description: 'no database, or no lock: come again after Retry-After' })
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
  async one(@Param('variantId') variantId: string): Promise<StockView> {
    return view(await this.inventory.find(variantId))
  }

  @Post()
  @HttpCode(200)
  @ApiOkResponse({ type: StockView, description: 'made, or there already' })
  async create(@Body() { variantId, productId }: NewVariant): Promise<StockView> {
    return view(await this.inventory.create(variantId, productId))
  }

  @Post(':variantId/adjust')
  @HttpCode(200)
  @ApiOkResponse({ description: 'the stock afterwards' })
  @ApiConflictResponse({
    description: 'with Retry-After: others hold the lock, come again. Without: final, NOT_ENOUGH_STOCK',
  })
  async adjust(@Param('variantId') variantId: string, @Body() { delta }: Adjustment) {
    return { variantId, stock: await this.inventory.adjust(variantId, delta) }
  }
}

function view({ id, productId, stock }: Variant): StockView {
  return { variantId: id, productId, stock }
}
