import { Module } from '@nestjs/common'
import { TypeOrmModule } from '@nestjs/typeorm'
import { Variant } from '../catalogue/variant.entity.js'
import { LocksModule } from '../locks/locks.module.js'
import { InventoryController } from './inventory.controller.js'
import { InventoryService } from './inventory.service.js'

@Module({
  imports: [TypeOrmModule.forFeature([Variant]), LocksModule],
  controllers: [InventoryController],
  providers: [InventoryService],
  exports: [InventoryService],
})
export class InventoryModule {}
