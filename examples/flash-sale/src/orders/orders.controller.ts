import {
  BadRequestException,
  Body,
  Controller,
  Get,
  Headers,
  HttpCode,
  Param,
  ParseUUIDPipe,
  Post,
  Res,
} from '@nestjs/common'
import {
  ApiBadRequestResponse,
  ApiConflictResponse,
  ApiCreatedResponse,
  ApiHeader,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiServiceUnavailableResponse,
  ApiTags,
  ApiTooManyRequestsResponse,
} from '@nestjs/swagger'
import { NAME } from '../inventory/inventory.dto.js'
import { RefusalView } from '../refusals/refusal.dto.js'
import type { Order } from './order.entity.js'
import { NewOrder, OrderView } from './orders.dto.js'
import { OrdersService } from './orders.service.js'

const BAD = { type: RefusalView, description: 'not what is described here' }
const UNKNOWN = { type: RefusalView, description: 'there is no such order' }

@ApiTags('orders')
@ApiServiceUnavailableResponse({
  type: RefusalView,
  description: 'no database, or no lock: come again after Retry-After, with the same key',
})
@Controller('orders')
export class OrdersController {
  constructor(private readonly orders: OrdersService) {}

  @Post()
  @ApiHeader({ name: 'Idempotency-Key', required: true, description: 'the same key again gives the same order' })
  @ApiCreatedResponse({ type: OrderView })
  @ApiOkResponse({ type: OrderView, description: 'the order that this user and key have already' })
  @ApiBadRequestResponse(BAD)
  @ApiNotFoundResponse({ type: RefusalView, description: 'there is no such variant' })
  @ApiConflictResponse({
    type: RefusalView,
    description: 'with Retry-After: others hold the lock, come again. Without: final, SOLD_OUT or IDEMPOTENCY_KEY_USED',
  })
  @ApiTooManyRequestsResponse({
    type: RefusalView,
    description: 'too many orders at once: come again after Retry-After',
  })
  async create(
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @Body() body: NewOrder,
    @Res({ passthrough: true }) response: { status(code: number): void },
  ): Promise<OrderView> {
    if (!idempotencyKey || !NAME.test(idempotencyKey)) {
      throw new BadRequestException('the header Idempotency-Key is needed: 1 to 64 letters, digits, "_" and "-"')
    }
    const { order, isNew } = await this.orders.create({ ...body, idempotencyKey })
    response.status(isNew ? 201 : 200)
    return view(order)
  }

  @Get(':id')
  @ApiOkResponse({ type: OrderView })
  @ApiBadRequestResponse(BAD)
  @ApiNotFoundResponse(UNKNOWN)
  async one(@Param('id', ParseUUIDPipe) id: string): Promise<OrderView> {
    return view(await this.orders.find(id))
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @ApiOkResponse({ type: OrderView, description: 'cancelled, now or before' })
  @ApiBadRequestResponse(BAD)
  @ApiNotFoundResponse(UNKNOWN)
  @ApiConflictResponse({ type: RefusalView, description: 'others hold the lock: come again after Retry-After' })
  async cancel(@Param('id', ParseUUIDPipe) id: string): Promise<OrderView> {
    return view(await this.orders.cancel(id))
  }
}

function view({ id, userId, variantId, quantity, status, createdAt }: Order): OrderView {
  return { id, userId, variantId, quantity, status, createdAt }
}
