import { Injectable } from '@nestjs/common'
import type { NodeStats, Redlock } from 'quorlock'
import { InjectRedlock } from 'quorlock/nestjs'
import { FallbackLocks } from './fallback.js'
import { FENCED, kindOf, type LockKind } from './locks.js'

export interface LocksStatus {
  /** The process that answers: each knows its own locks only. */
  pid: number
  held: number
  waiting: number
  lost: number
  byKind: Record<LockKind, { held: number; waiting: number }>
  /** Whether an instance has had its last lock from the fallback. Such locks are in no other number here. */
  degraded: boolean
  instances: { name: string; degraded: boolean; breaker?: string; nodes: NodeStats[] }[]
  /** Connections of this process that hold, or ask for, a lock in Postgres. */
  fallback: { inUse: number; most: number; waiting: number }
  locks: { kind: LockKind; key: string; heldForMs: number; remaining: number; waiting: number }[]
}

@Injectable()
export class LocksService {
  private readonly instances: Record<string, Redlock>

  constructor(
    @InjectRedlock() plain: Redlock,
    @InjectRedlock(FENCED) fenced: Redlock,
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
    const total = { held: 0, waiting: 0, lost: 0 }
    const now = Date.now()
    const locks = []
    for (const redlock of Object.values(this.instances)) {
      const { held, waiting, lost } = redlock.stats()
      total.held += held
      total.waiting += waiting
      total.lost += lost
      for (const { key, since, remaining, waiting } of redlock.locks()) {
        const kind = kindOf(key)
        byKind[kind].held++
        // Of those who wait for a key that another process holds, only the total is known.
        byKind[kind].waiting += waiting
        locks.push({ kind, key, heldForMs: now - since, remaining, waiting })
      }
    }
    const instances = Object.entries(this.instances).map(([name, redlock]) => {
      const { degraded, breaker, nodes } = redlock.stats()
      return { name, degraded, breaker, nodes }
    })
    const degraded = instances.some((instance) => instance.degraded)
    return { pid: process.pid, ...total, byKind, degraded, instances, fallback: this.fallback.connections, locks }
  }
}
