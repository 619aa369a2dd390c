// What the compiler must refuse, and what it must know. Compiled with the tests, never run.

import type { DynamicModule } from '@nestjs/common'
import * as prom from 'prom-client'
import { type Lock, Redlock } from 'quorlock'
import { RedlockModule, type RedlockModuleAsyncOptions, type RedlockService, WithLock } from 'quorlock/nestjs'
import { RedlockMetricsModule } from 'quorlock/nestjs/metrics'
import type { RedlockHealthIndicator } from 'quorlock/nestjs/terminus'

interface Order {
  id: string
  amount: number
}

export class Orders {
  @WithLock((order: Order) => `lock:${order.id}`, { ttl: 1000 })
  async place(order: Order, _note?: string): Promise<number> {
    return order.amount
  }

  @WithLock((order: { id: string }) => [order.id], { ttl: 1000 })
  async less(_order: Order) {}

  @WithLock<Orders['named']>((order, count) => `${order.id.toUpperCase()}:${count.toFixed()}`, { ttl: 1000 })
  async named(_order: Order, _count: number) {}

  @WithLock('lock:skip', { ttl: 1000, whenContended: 'skip' })
  async skipped(): Promise<number | undefined> {
    return 1
  }

  @WithLock('lock:skip', { ttl: 1000, whenContended: 'skip' })
  async nothing(): Promise<void> {}

  @WithLock<Orders['namedSkipped']>((order) => order.id, { ttl: 1000, whenContended: 'skip' })
  async namedSkipped(order: Order): Promise<number | undefined> {
    return order.amount
  }

  @WithLock<Orders['namedInferred']>((order) => order.id, { ttl: 1000, whenContended: 'skip' })
  async namedInferred(order: Order) {
    return order.amount > 0 ? this.named(order, 1) : undefined
  }

  @WithLock<Orders['namedNothing']>((order) => order.id, { ttl: 1000, whenContended: 'skip' })
  async namedNothing(_order: Order): Promise<void> {}

  @WithLock<Orders['namedThrowing']>((order) => order.id, { ttl: 1000, whenContended: 'throw' })
  async namedThrowing(order: Order): Promise<number> {
    return order.amount
  }

  // @ts-expect-error nothing is what a skipped call resolves with, of a method that is named, too
  @WithLock<Orders['namedNumber']>((order) => order.id, { ttl: 1000, whenContended: 'skip' })
  async namedNumber(order: Order): Promise<number> {
    return order.amount
  }

  // @ts-expect-error the method takes no number
  @WithLock((id: number) => `lock:${id}`, { ttl: 1000 })
  async other(_order: Order) {}

  // @ts-expect-error the method has no second argument
  @WithLock((order: Order, count: number) => `${order.id}:${count}`, { ttl: 1000 })
  async shorter(_order: Order) {}

  // @ts-expect-error a key is a text
  @WithLock((order: Order) => order.amount, { ttl: 1000 })
  async noKey(_order: Order) {}

  // @ts-expect-error no promise
  @WithLock('lock', { ttl: 1000 })
  sync() {
    return 1
  }

  // @ts-expect-error no ttl
  @WithLock('lock', {})
  async noTtl() {}

  // @ts-expect-error a signal belongs to one call
  @WithLock('lock', { ttl: 1000, signal: AbortSignal.abort() })
  async signal() {}

  // @ts-expect-error nothing is what a skipped call resolves with
  @WithLock('lock:skip', { ttl: 1000, whenContended: 'skip' })
  async skippedNumber(): Promise<number> {
    return 1
  }
}

export const service = (redlock: RedlockService): Redlock => redlock
export const token = (redlock: RedlockService<true>) => redlock.withLock('key', 1000, (lock) => lock.token)
// @ts-expect-error no token without fencing
export const noToken = (redlock: RedlockService) => redlock.withLock('key', 1000, (lock) => lock.token)
export const held = (redlock: RedlockService): Promise<Lock> => redlock.acquire('key', 1000)
export const modules = [
  RedlockModule.forRoot({ nodes: 'memory', shutdownTimeout: 1, logger: false, name: 'x', isGlobal: true }),
  RedlockModule.forRootAsync({ useFactory: (nodes: string) => ({ nodes }), inject: ['NODES'] }),
  // @ts-expect-error no nodes
  RedlockModule.forRoot({ name: 'x' }),
  // @ts-expect-error a factory returns options
  RedlockModule.forRootAsync({ useFactory: () => 1 }),
]
export const options: RedlockModuleAsyncOptions = { useFactory: async () => ({ nodes: 'memory' }) }
export const plain = new Redlock({ nodes: 'memory' })
export const health = (indicator: RedlockHealthIndicator) => indicator.isHealthy('locks', { name: 'x' })
export const metrics: DynamicModule[] = [
  RedlockMetricsModule.forRoot(),
  RedlockMetricsModule.forRoot({ name: 'x', client: prom, register: new prom.Registry(), keyClass: (key) => `${key}` }),
  // @ts-expect-error a class is a text
  RedlockMetricsModule.forRoot({ keyClass: () => 1 }),
]
