import { randomUUID } from 'node:crypto'
import { Injectable } from '@nestjs/common'
import { InjectDataSource, InjectRepository } from '@nestjs/typeorm'
import { RedlockService } from 'quorlock/nestjs'
import { DataSource, LessThan, Repository } from 'typeorm'
import { InventoryService, isDuplicate } from '../inventory/inventory.service.js'
import { CountedLocks } from '../locks/counted-locks.js'
import { isSoldOut, keyTaken, soldOut, unknown } from '../refusals/refusal.js'
import { LOCK_TTL_MS, settings } from '../settings.js'
import { Admission } from './admission.js'
import { Confirmation } from './confirmation.entity.js'
import { Order } from './order.entity.js'
import { OrderQueue } from './order-queue.js'
import { PaymentsService } from './payments.service.js'

export interface OrderRequest {
  userId: string
  idempotencyKey: string
  variantId: string
  quantity: number
}

interface Made {
  order: Order
  isNew: boolean
}

@Injectable()
export class OrdersService {
  constructor(
    private readonly redlock: RedlockService,
    private readonly locks: CountedLocks,
    private readonly inventory: InventoryService,
    private readonly payments: PaymentsService,
    private readonly queue: OrderQueue,
    private readonly admission: Admission,
    @InjectRepository(Order) private readonly orders: Repository<Order>,
    @InjectDataSource() private readonly database: DataSource,
  ) {}

  /** The same request gives the same order, however often and wherever it arrives; `isNew` tells the first. */
  create(request: OrderRequest): Promise<Made> {
    const until = performance.now() + settings.orderWaitMs
    return this.admission.admit(async () => {
      // A look without a lock: who comes when nothing is left need not wait for being told. First the stock, then the
      // order: the same request may be taking the last one at this moment.
      const { stock } = await this.inventory.find(request.variantId)
      const earlier = await this.earlier(request)
      if (earlier) return { order: earlier, isNew: false }
      if (stock < request.quantity) throw soldOut(request.variantId, stock)
      return this.createOnce(request, until)
    })
  }

  private createOnce(request: OrderRequest, until: number): Promise<Made> {
    // Of users and keys with "_" in them two pairs may have one key: they wait for each other, and nothing else. What says
    // which order is whose is the index.
    const key = `lock:order_creation_${request.userId}_${request.idempotencyKey}`
    const section = async () => {
      const earlier = await this.earlier(request)
      if (earlier) return { order: earlier, isNew: false }
      try {
        return { order: await this.placeOrder(request, until), isNew: true }
      } catch (error) {
        // The index has the last word where the lock was lost, or was the fallback's: nothing was written, and nothing
        // taken from stock. And what is sold out may be so by this very request.
        const other = (isDuplicate(error) || isSoldOut(error)) && (await this.earlier(request))
        if (!other) throw error
        return { order: other, isNew: false }
      }
    }
    // As many of these are held as orders are in work, and the index is right without them: none of them is worth a
    // connection to Postgres while the lock nodes are away.
    const options = { wait: timeLeft(until), fallback: 'local' } as const
    return this.locks.withLock(this.redlock, key, LOCK_TTL_MS, section, options)
  }

  /**
   * One order of a product at a time, so that no payment is asked for that the stock cannot serve. Its turn must have
   * come by `until`, of the clock of `performance`.
   */
  async placeOrder(request: OrderRequest, until: number): Promise<Order> {
    const { productId } = await this.inventory.find(request.variantId)
    const order = await this.locks.withLock(
      this.redlock,
      `lock:product:${productId}`,
      LOCK_TTL_MS,
      async (lock) => {
        const { stock } = await this.inventory.find(request.variantId)
        if (stock < request.quantity) throw soldOut(request.variantId, stock)
        await this.payments.authorise(lock.signal)
        // Paid: the lock that the purchase needs is granted also while the process ends (orders-shutdown.ts).
        return this.inventory.purchase({ id: randomUUID(), ...request, degraded: lock.degraded })
      },
      { wait: timeLeft(until) },
    )
    this.queue.add(order.id)
    return order
  }

  async find(id: string) {
    const order = await this.orders.findOneBy({ id })
    if (!order) throw unknown('order', id)
    return order
  }

  async cancel(id: string) {
    return this.inventory.cancel(await this.find(id))
  }

  /**
   * What the queue does with an order. Jobs come at least once; the row's lock and its status make that exactly once.
   *
   * @returns whether it was this call that did it
   */
  confirm(id: string): Promise<boolean> {
    return this.database.transaction(async (manager) => {
      const order = await manager.findOne(Order, { where: { id }, lock: { mode: 'pessimistic_write' } })
      if (order?.status !== 'accepted') return false
      await manager.insert(Confirmation, { orderId: id, pid: process.pid })
      await manager.update(Order, { id }, { status: 'confirmed' })
      return true
    })
  }

  /** Orders that should have been confirmed by now. */
  async overdue(olderThanMs: number, limit: number) {
    const orders = await this.orders.find({
      select: { id: true },
      where: { status: 'accepted', createdAt: LessThan(new Date(Date.now() - olderThanMs)) },
      order: { createdAt: 'ASC' },
      take: limit,
    })
    return orders.map(({ id }) => id)
  }

  private async earlier({ userId, idempotencyKey, variantId, quantity }: OrderRequest) {
    const order = await this.orders.findOneBy({ userId, idempotencyKey })
    if (order && (order.variantId !== variantId || order.quantity !== quantity))
      throw keyTaken(idempotencyKey, 'order of this user')
    return order
  }
}

const timeLeft = (until: number) => Math.max(0, Math.floor(until - performance.now()))
