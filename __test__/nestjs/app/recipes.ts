// The recipes of docs/nestjs.md: what stands there is cut out of this file, which a test compares. The stores are in
// memory: the examples have real ones.

import { Processor, WorkerHost } from '@nestjs/bullmq'
import { Body, ConflictException, Controller, Headers, Injectable, NotFoundException, Post } from '@nestjs/common'
import { Cron } from '@nestjs/schedule'
import type { Job } from 'bullmq'
import { currentLock } from 'quorlock'
import { RedlockService, WithLock } from 'quorlock/nestjs'

export interface Order {
  productId: string
  quantity: number
}

export interface QueuedOrder extends Order {
  id: string
}

/** A statement of a database, each method: none of them sees half of another. */
@Injectable()
export class Database {
  readonly stock = new Map([['p1', 3]])
  readonly orders: Order[] = []
  readonly byKey = new Map<string, Order>()
  readonly queued = new Map<string, QueuedOrder>()
  readonly runs = new Set<string>()
  readonly reports: string[] = []
  readonly variants = new Map([['v1', { stock: 3, fence: 0 }]])
  #turn: Promise<unknown> = Promise.resolve()

  /** All of it or nothing. Whoever has a row has it until the end; here one transaction has them all. */
  transaction<Result>(work: (rows: Rows) => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(async () => {
      const rows = new Rows(this)
      const done = await work(rows)
      rows.commit()
      return done
    })
    this.#turn = result.catch(() => {})
    return result
  }

  async findByKey(user: string, key: string) {
    return this.byKey.get(`${user} ${key}`)
  }

  async insertByKey(user: string, key: string, order: Order) {
    const unique = `${user} ${key}`
    if (this.byKey.has(unique)) throw Object.assign(new Error('unique constraint'), { code: DUPLICATE })
    this.byKey.set(unique, order)
    return order
  }

  async findQueued(id: string) {
    return this.queued.get(id)
  }

  async insertQueued(order: QueuedOrder) {
    if (this.queued.has(order.id)) throw Object.assign(new Error('unique constraint'), { code: DUPLICATE })
    this.queued.set(order.id, order)
    return order
  }

  async hasRun(job: string, slot: string) {
    return this.runs.has(`${job} ${slot}`)
  }

  async recordRun(job: string, slot: string) {
    this.runs.add(`${job} ${slot}`)
  }
}

/** What a transaction has changed, until it commits. */
class Rows {
  readonly #changes: (() => void)[] = []

  constructor(private readonly db: Database) {}

  async claim(productId: string, quantity: number) {
    const left = this.db.stock.get(productId) ?? 0
    if (left < quantity) return false
    this.#changes.push(() => this.db.stock.set(productId, left - quantity))
    return true
  }

  async insertOrder(order: Order) {
    this.#changes.push(() => this.db.orders.push(order))
    return order
  }

  async selectForUpdate(id: string) {
    const row = this.db.variants.get(id)
    if (!row) throw new NotFoundException(id)
    return { ...row }
  }

  async write(id: string, stock: number, token: number) {
    const row = this.db.variants.get(id)
    if (!row || row.fence > token) return false
    this.#changes.push(() => this.db.variants.set(id, { stock, fence: token }))
    return true
  }

  commit() {
    for (const change of this.#changes) change()
  }
}

const DUPLICATE = '23505'
const isDuplicate = (error: unknown) => (error as { code?: unknown }).code === DUPLICATE

const today = () => '2026-11-21'

@Injectable()
export class OrdersService {
  constructor(private readonly db: Database) {}

  @WithLock((order: Order) => `lock:product:${order.productId}`, { ttl: 5000, wait: 2000 })
  async place(order: Order) {
    return this.db.transaction(async (rows) => {
      // UPDATE products SET stock = stock - $2 WHERE id = $1 AND stock >= $2
      if (!(await rows.claim(order.productId, order.quantity))) throw new ConflictException('sold out')
      return rows.insertOrder(order)
    })
  }
}

@Injectable()
export class InventoryService {
  constructor(
    private readonly redlock: RedlockService<true>, // RedlockModule.forRoot({ fencing: true, .. })
    private readonly db: Database,
  ) {}

  adjust(variant: string, delta: number): Promise<number> {
    return this.redlock.withLock(`inventory_lock:${variant}`, 5000, ({ token }) =>
      this.db.transaction(async (rows) => {
        const { stock } = await rows.selectForUpdate(variant) // SELECT stock FROM variants WHERE id = $1 FOR UPDATE
        if (stock + delta < 0) throw new ConflictException('sold out')
        // UPDATE variants SET stock = $2, fence = $3 WHERE id = $1 AND fence <= $3
        const isWritten = await rows.write(variant, stock + delta, token)
        if (!isWritten) throw new ConflictException('somebody else has had the lock since')
        return stock + delta
      }),
    )
  }
}

@Controller('orders')
export class OrdersController {
  constructor(private readonly db: Database) {}

  @Post()
  @WithLock<OrdersController['create']>((_order, user, key) => `lock:order_creation_${user}_${key}`, { ttl: 5000 })
  async create(
    @Body() order: Order,
    @Headers('x-user') user: string,
    @Headers('idempotency-key') key: string,
  ): Promise<Order> {
    const made = await this.db.findByKey(user, key)
    if (made) return made
    try {
      return await this.db.insertByKey(user, key, order) // where (user, key) is unique
    } catch (error) {
      if (!isDuplicate(error)) throw error // of Postgres: error.code !== '23505'
      const other = await this.db.findByKey(user, key) // of who has had the lock since
      if (!other) throw error
      return other
    }
  }
}

@Processor('orders')
export class OrderProcessor extends WorkerHost {
  constructor(private readonly db: Database) {
    super()
  }

  @WithLock((job: Job<QueuedOrder>) => `lock:product:${job.data.productId}`, { ttl: 5000, wait: 30_000 })
  async process({ data: order }: Job<QueuedOrder>): Promise<QueuedOrder> {
    const made = await this.db.findQueued(order.id) // a worker was killed before it could say that it was done
    if (made) return made
    currentLock()?.signal.throwIfAborted() // right before what cannot be undone
    return this.db.insertQueued(order) // where its id is unique
  }

  async onModuleDestroy() {
    await this.worker.pause() // while locks are still given: what is at work ends, the rest is left to others
  }
}

@Injectable()
export class ReportsService {
  constructor(private readonly db: Database) {}

  @Cron('0 0 3 * * *', { name: 'nightly report' })
  @WithLock('lock:cron:nightly-report', { ttl: 30_000, wait: 1000, whenContended: 'skip' })
  async nightly() {
    const day = today()
    if (await this.db.hasRun('nightly report', day)) return
    await this.write(day)
    await this.db.recordRun('nightly report', day) // a row, unique by job and day
  }

  private async write(day: string) {
    this.db.reports.push(day)
  }
}
