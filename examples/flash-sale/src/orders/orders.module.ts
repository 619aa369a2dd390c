import { BullModule } from '@nestjs/bullmq'
import { Module } from '@nestjs/common'
import { TypeOrmModule } from '@nestjs/typeorm'
import { InventoryModule } from '../inventory/inventory.module.js'
import { Admission } from './admission.js'
import { Order } from './order.entity.js'
import { OrderProcessor } from './order.processor.js'
import { ORDER_QUEUE, OrderQueue } from './order-queue.js'
import { OrderSweep } from './order-sweep.js'
import { OrdersController } from './orders.controller.js'
import { OrdersService } from './orders.service.js'
import { PaymentsService } from './payments.service.js'

@Module({
  imports: [TypeOrmModule.forFeature([Order]), BullModule.registerQueue({ name: ORDER_QUEUE }), InventoryModule],
  controllers: [OrdersController],
  providers: [OrdersService, OrderQueue, OrderProcessor, OrderSweep, PaymentsService, Admission],
  exports: [OrdersService, OrderQueue],
})
export class OrdersModule {}
