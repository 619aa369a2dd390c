// What the page shows, twice a second while anybody looks. Stock and orders are those of the database, so of all
// processes; locks and nodes are as this process sees them.

import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common'
import { InjectDataSource } from '@nestjs/typeorm'
import { catchError, EMPTY, exhaustMap, from, type Observable, Subject, share, takeUntil, timer } from 'rxjs'
import { DataSource } from 'typeorm'
import type { LocksStatus } from '../locks/locks.dto.js'
import { LocksService } from '../locks/locks.service.js'

export interface Live {
  at: number
  stock: { variantId: string; stock: number }[]
  orders: number
  ordersPerSecond: number
  locks: LocksStatus
}

const EVERY_MS = 500
/** Over how long orders are counted. */
const WINDOW_S = 2

@Injectable()
export class LiveService implements BeforeApplicationShutdown {
  private readonly logger = new Logger(LiveService.name)
  private readonly closing = new Subject<void>()

  /** One for all who look; nothing is asked for while nobody does. */
  readonly changes: Observable<Live> = timer(0, EVERY_MS).pipe(
    exhaustMap(() =>
      from(this.look()).pipe(
        catchError((error: Error) => {
          this.logger.warn(`nothing to show: ${error.message}`)
          return EMPTY
        }),
      ),
    ),
    share(),
    takeUntil(this.closing),
  )

  constructor(
    private readonly locks: LocksService,
    @InjectDataSource() private readonly database: DataSource,
  ) {}

  /** A stream that is open would keep the server from closing. */
  beforeApplicationShutdown() {
    this.closing.next()
    this.closing.complete()
  }

  private async look(): Promise<Live> {
    const stock = await this.database.query('SELECT id AS "variantId", stock FROM variants ORDER BY id')
    const [{ orders, lately }] = await this.database.query(
      `SELECT count(*)::int AS orders,
              (count(*) FILTER (WHERE created_at > now() - make_interval(secs => $1)))::int AS lately
         FROM orders`,
      [WINDOW_S],
    )
    return { at: Date.now(), stock, orders, ordersPerSecond: lately / WINDOW_S, locks: this.locks.status() }
  }
}
