import { Module } from '@nestjs/common'
import { RedlockModule } from 'quorlock/nestjs'
import { LOCK_MAX_HOLD_MS, LOCK_MAX_TTL_MS, settings } from '../settings.js'
import { CountedLocks } from './counted-locks.js'
import { FallbackLocks, FallbackModule } from './fallback.js'
import { LocksController } from './locks.controller.js'
import { FENCED } from './locks.js'
import { LocksService } from './locks.service.js'

const common = {
  nodes: settings.lockNodes,
  maxTtl: LOCK_MAX_TTL_MS,
  maxHold: LOCK_MAX_HOLD_MS,
  clientName: 'flash-sale',
}

@Module({
  imports: [
    FallbackModule,
    // Both have the breaker that comes with a fallback: who finds no quorum spares the others the search.
    RedlockModule.forRootAsync({
      isGlobal: true,
      inject: [FallbackLocks],
      useFactory: ({ provider }: FallbackLocks) => ({ ...common, fallback: provider }),
    }),
    // Right behind these locks the row is locked, in the same database: an advisory lock would keep nobody away from it
    // whom the row does not make wait. This process keeps its own crowd away, and falls back at once, since the lock of
    // the product is being held meanwhile.
    RedlockModule.forRoot({
      ...common,
      ...{ isGlobal: true, name: FENCED, fencing: true },
      ...{ fallback: 'local', fallbackAfter: 0 },
    }),
  ],
  controllers: [LocksController],
  providers: [LocksService, CountedLocks],
  exports: [LocksService, CountedLocks],
})
export class LocksModule {}
