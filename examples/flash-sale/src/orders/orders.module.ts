import { BullModule } from '@nestjs/bullmq'
import { Module } from '@nestjs/common'
import { TypeOrmModule } from '@nestjs/typeorm'
import { InventoryModule } from '../inventory/inventory.module.js'
import { LocksModule } from '../locks/locks.module.js'
import { Admission } from './admission.js'
import { Order } from './order.entity.js'
import { OrderProcessor } from './order.processor.js'
import { ORDER_QUEUE, OrderQueue } from './order-queue.js'
import { OrderSweep } from './order-sweep.js'
import { OrdersController } from './orders.controller.js'
import { OrdersService } from './orders.service.js'
import { OrdersShutdown } from './orders-shutdown.js'
import { PaymentsService } from './payments.service.js'
import { QueueConnection, QueueConnectionModule } from './queue-connection.js'

const queue = BullModule.registerQueueAsync({
  name: ORDER_QUEUE,
  imports: [QueueConnectionModule],
  inject: [QueueConnection],
  // What BullMQ asks a server about its version at first, it never asks again where the answer does not come.
  useFactory: ({ client }: QueueConnection) => ({ connection: client, skipVersionCheck: true }),
})

@Module({
  imports: [TypeOrmModule.forFeature([Order]), queue, QueueConnectionModule, InventoryModule, LocksModule],
  controllers: [OrdersController],
  providers: [OrdersService, OrderQueue, OrderProcessor, OrderSweep, OrdersShutdown, PaymentsService, Admission],
  exports: [OrdersService, OrderQueue],
})
export class OrdersModule {}
