// What the page shows, looked up every half second while somebody looks. Stock and orders are the database's, so of all
// processes; locks and nodes are as this process sees them, and are told also while the database is away.

import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common'
import { InjectDataSource } from '@nestjs/typeorm'
import { exhaustMap, from, type Observable, ReplaySubject, share, takeUntil, timer } from 'rxjs'
import { DataSource } from 'typeorm'
import { LocksService } from '../locks/locks.service.js'
import { within } from '../within.js'
import type { Live, Sales } from './live.dto.js'

const EVERY_MS = 500
/** How long the database has to answer. */
const ANSWER_LIMIT_MS = 2000
/** Over how long orders are counted. */
const WINDOW_S = 2

const UNKNOWN: Sales = { isStale: true, stock: null, orders: null, ordersPerSecond: null }

@Injectable()
export class LiveService implements BeforeApplicationShutdown {
  private readonly logger = new Logger(LiveService.name)
  /** Says so also to a stream that is opened while the process is ending. */
  private readonly closing = new ReplaySubject<void>(1)
  private isKnown = true

  /** One for all who look; nothing is asked for while nobody does. */
  readonly changes: Observable<Live> = timer(0, EVERY_MS).pipe(
    exhaustMap(() => from(this.look())),
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
  }

  private async look(): Promise<Live> {
    const sales = await this.sales()
    return { at: Date.now(), ...sales, locks: this.locks.status() }
  }

  private async sales(): Promise<Sales> {
    try {
      const sales = await within(ANSWER_LIMIT_MS, 'the database', this.count())
      this.isKnown = true
      return sales
    } catch (error) {
      if (this.isKnown) this.logger.warn(`stock and orders are not known: ${(error as Error).message}`)
      this.isKnown = false
      return UNKNOWN
    }
  }

  private async count(): Promise<Sales> {
    const stock = await this.database.query('SELECT id AS "variantId", stock FROM variants ORDER BY id')
    const [{ orders, lately }] = await this.database.query(
      `SELECT count(*)::int AS orders,
              (count(*) FILTER (WHERE created_at > now() - make_interval(secs => $1)))::int AS lately
         FROM orders`,
      [WINDOW_S],
    )
    return { isStale: false, stock, orders, ordersPerSecond: lately / WINDOW_S }
  }
}
