// What this process holds and waits for, counted where it is asked for: by key, so that calls are counted by kind also
// where another process holds the lock, and locks also where the fallback has given them.

import { Injectable } from '@nestjs/common'
import type { Lock, LockOf, Redlock, WithLockOptions } from 'quorlock'
import { kindOf, type LockKind } from './locks.js'

interface Held {
  lock: Lock
  since: number
}

export interface HeldNow {
  kind: LockKind
  key: string
  heldForMs: number
  remaining: number
  degraded: boolean
  waiting: number
}

export interface WaitingNow {
  kind: LockKind
  key: string
  waiting: number
}

@Injectable()
export class CountedLocks {
  private readonly held = new Set<Held>()
  private readonly asking = new Map<string, number>()

  /** `redlock.withLock(..)`. The call waits from asking until it is granted or refused. */
  async withLock<Fencing extends boolean, T>(
    redlock: Redlock<Fencing>,
    key: string,
    ttl: number,
    section: (lock: LockOf<Fencing>) => Promise<T>,
    options?: WithLockOptions,
  ): Promise<T> {
    const answered = this.ask(key)
    const granted = (lock: LockOf<Fencing>) => {
      answered()
      return this.holding(lock as Lock, () => section(lock))
    }
    try {
      return await redlock.withLock(key, ttl, granted, options)
    } finally {
      answered()
    }
  }

  /** Counts a lock that has been granted elsewhere, while `section` runs. */
  async holding<T>(lock: Lock, section: () => Promise<T>): Promise<T> {
    const entry = { lock, since: Date.now() }
    this.held.add(entry)
    try {
      return await section()
    } finally {
      this.held.delete(entry)
    }
  }

  /** One that is lost is held no longer, though its section may still run. */
  holders(): HeldNow[] {
    const now = Date.now()
    return [...this.held]
      .filter(({ lock }) => lock.isHeld)
      .map(({ lock: { key, remaining, degraded }, since }) => {
        const name = String(key)
        const waiting = this.asking.get(name) ?? 0
        return { kind: kindOf(name), key: name, heldForMs: now - since, remaining, degraded, waiting }
      })
  }

  waiters(): WaitingNow[] {
    return [...this.asking].map(([key, waiting]) => ({ kind: kindOf(key), key, waiting }))
  }

  private ask(key: string) {
    this.asking.set(key, (this.asking.get(key) ?? 0) + 1)
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      const left = (this.asking.get(key) ?? 1) - 1
      if (left > 0) this.asking.set(key, left)
      else this.asking.delete(key)
    }
  }
}
