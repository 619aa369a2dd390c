import { Module } from '@nestjs/common'
import { RedlockModule } from 'quorlock/nestjs'
import { LOCK_MAX_TTL_MS, settings } from '../settings.js'
import { LocksController } from './locks.controller.js'
import { FENCED } from './locks.js'
import { LocksService } from './locks.service.js'

const common = { nodes: settings.lockNodes, maxTtl: LOCK_MAX_TTL_MS, clientName: 'flash-sale' }

@Module({
  imports: [
    RedlockModule.forRoot({ ...common, isGlobal: true }),
    RedlockModule.forRoot({ ...common, isGlobal: true, name: FENCED, fencing: true }),
  ],
  controllers: [LocksController],
  providers: [LocksService],
  exports: [LocksService],
})
export class LocksModule {}
