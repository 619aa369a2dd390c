import { Module } from '@nestjs/common'
import { InventoryModule } from '../inventory/inventory.module.js'
import { TestLocksService } from './test-locks.service.js'
import { TestingController } from './testing.controller.js'

/** Imported under NODE_ENV=test only. */
@Module({ imports: [InventoryModule], controllers: [TestingController], providers: [TestLocksService] })
export class TestingModule {}
