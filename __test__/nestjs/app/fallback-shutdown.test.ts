// The end of an application whose locks come from Postgres, with a pool of their own: as docs/nestjs.md has it.

import { strict as assert } from 'node:assert'
import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import { Injectable } from '@nestjs/common'
import type { LockLostError } from 'quorlock'
import { RedlockModule, RedlockService } from 'quorlock/nestjs'
import { PostgresLockProvider } from 'quorlock/postgres'
import { freePort, gate, moduleOf, start, until, within } from './support.js'

/** Grants every lock. As the pool of pg, it ends when it has all of its connections again. */
class StandIn {
  out = 0
  isEnded = false

  async query() {}

  async connect() {
    this.out += 1
    const release = () => {
      this.out -= 1
    }
    const query = async (_text: string, [numbers]: unknown[] = []) => {
      const rows = ((numbers ?? []) as string[]).map((k) => ({ k, locked: true, unlocked: true }))
      return { rows, command: 'SELECT' }
    }
    return Object.assign(new EventEmitter(), { query, release })
  }

  async end() {
    await until(() => this.out === 0, { what: 'all connections are back' })
    this.isEnded = true
  }
}

@Injectable()
class FallbackLocks {
  readonly pool = new StandIn()
  readonly provider = new PostgresLockProvider({ pool: this.pool })

  async onApplicationShutdown() {
    await this.provider.close({ timeout: 20 })
    await this.pool.end()
  }
}

test('a section that goes on loses its lock, and keeps neither the pool nor the application from their end', async (t) => {
  const away = `redis://127.0.0.1:${await freePort()}`
  const redlock = RedlockModule.forRootAsync({
    isGlobal: true,
    imports: [moduleOf({ providers: [FallbackLocks], exports: [FallbackLocks] })],
    inject: [FallbackLocks],
    useFactory: ({ provider }: FallbackLocks) => ({
      ...{ nodes: away, fallback: provider, fallbackAfter: 0, logger: false, shutdownTimeout: 20 },
    }),
  })
  const app = await start(t, { imports: [redlock] })
  const { pool } = app.get(FallbackLocks, { strict: false })
  const { opened, open: end } = gate()
  t.after(end)
  let reason: string | undefined
  const section = app.get(RedlockService, { strict: false }).withLock('key', 60_000, async ({ signal }) => {
    signal.addEventListener('abort', () => {
      reason = (signal.reason as LockLostError).reason
    })
    await opened
  })
  await until(() => pool.out === 1, { what: 'the section has its lock from Postgres' })
  await within(20_000, app.close())
  assert.deepEqual([pool.isEnded, pool.out, reason], [true, 0, 'closed'])
  end()
  await section.catch(() => {})
})
