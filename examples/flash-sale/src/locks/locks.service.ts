import { Injectable } from '@nestjs/common'
import type { NodeStats, Redlock } from 'quorlock'
import { InjectRedlock } from 'quorlock/nestjs'
import { FENCED, kindOf, type LockKind } from './locks.js'

export interface LocksStatus {
  /** The process that answers: each knows its own locks only. */
  pid: number
  held: number
  waiting: number
  lost: number
  byKind: Record<LockKind, { held: number; waiting: number }>
  instances: { name: string; nodes: NodeStats[] }[]
  locks: { kind: LockKind; key: string; heldForMs: number; remaining: number; waiting: number }[]
}

@Injectable()
export class LocksService {
  private readonly instances: Record<string, Redlock>

  constructor(@InjectRedlock() plain: Redlock, @InjectRedlock(FENCED) fenced: Redlock) {
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
    const instances = Object.entries(this.instances).map(([name, redlock]) => ({ name, nodes: redlock.stats().nodes }))
    return { pid: process.pid, ...total, byKind, instances, locks }
  }
}
