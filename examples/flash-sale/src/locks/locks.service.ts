import { Injectable } from '@nestjs/common'
import type { Redlock } from 'quorlock'
import { InjectRedlock } from 'quorlock/nestjs'
import { CountedLocks } from './counted-locks.js'
import { FallbackLocks } from './fallback.js'
import type { LocksStatus } from './locks.dto.js'
import { FENCED } from './locks.js'

@Injectable()
export class LocksService {
  private readonly instances: Record<string, Redlock>

  constructor(
    @InjectRedlock() plain: Redlock,
    @InjectRedlock(FENCED) fenced: Redlock,
    private readonly counted: CountedLocks,
    private readonly fallback: FallbackLocks,
  ) {
    this.instances = { default: plain, [FENCED]: fenced }
  }

  status(): LocksStatus {
    const byKind: LocksStatus['byKind'] = {
      inventory: { held: 0, waiting: 0 },
      orderCreation: { held: 0, waiting: 0 },
      custom: { held: 0, waiting: 0 },
    }
    const locks = this.counted.holders()
    const waits = this.counted.waiters()
    for (const { kind } of locks) byKind[kind].held++
    for (const { kind, waiting } of waits) byKind[kind].waiting += waiting

    let lost = 0
    const instances = Object.entries(this.instances).map(([name, redlock]) => {
      const { degraded, breaker, nodes, ...counts } = redlock.stats()
      lost += counts.lost
      return { name, degraded, breaker, nodes }
    })
    return {
      pid: process.pid,
      held: locks.length,
      waiting: waits.reduce((sum, { waiting }) => sum + waiting, 0),
      lost,
      byKind,
      degraded: instances.some((instance) => instance.degraded),
      instances,
      fallback: this.fallback.connections,
      locks,
      waits,
    }
  }
}
