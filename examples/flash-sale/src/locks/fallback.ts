// Who gives locks while no quorum of the lock nodes can vote: the database, which has the last word anyway.

import { Global, Injectable, Logger, Module, type OnApplicationShutdown } from '@nestjs/common'
import pg from 'pg'
import { PostgresLockProvider } from 'quorlock/postgres'
import { LOCK_MAX_HOLD_MS, settings } from '../settings.js'

/** With the 20 of TypeORM's pool, three processes stay below the 100 that Postgres allows by default. */
const CONNECTIONS = 8
const CONNECT_LIMIT_MS = 2000

/**
 * The session form, since a lock is held over a payment: a transaction would stay open, and idle, for as long. Each lock has
 * a connection then, so the pool is one of its own and takes nothing from the orders' transactions; and no lock that needs
 * one of it is taken inside another, so that a pool that runs short makes some wait, and never holders for each other.
 */
@Injectable()
export class FallbackLocks implements OnApplicationShutdown {
  private readonly logger = new Logger(FallbackLocks.name)
  private readonly pool = new pg.Pool({
    connectionString: settings.databaseUrl,
    application_name: 'flash-sale fallback',
    max: CONNECTIONS,
    connectionTimeoutMillis: CONNECT_LIMIT_MS,
    keepAlive: true,
  })
  readonly provider = new PostgresLockProvider({ pool: this.pool, maxHold: LOCK_MAX_HOLD_MS })

  constructor() {
    this.pool.on('error', (error) => this.logger.warn(`an idle connection has ended: ${error.message}`))
  }

  /** Each lock that is held has one. */
  get connections() {
    return { inUse: this.pool.totalCount - this.pool.idleCount, most: CONNECTIONS, waiting: this.pool.waitingCount }
  }

  /** After the server has closed, so that no order needs a lock any more. */
  async onApplicationShutdown() {
    await this.provider.close()
    await this.pool.end()
  }
}

/** Global: else it would be torn down before the workers whose locks it keeps. */
@Global()
@Module({ providers: [FallbackLocks], exports: [FallbackLocks] })
export class FallbackModule {}
