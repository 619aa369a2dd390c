// The example of docs/testing.md for a container of NestJS: what stands there is cut out of this file, which a test
// compares.

import { strict as assert } from 'node:assert'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { Module } from '@nestjs/common'
import { Test, type TestingModule } from '@nestjs/testing'
import { LockContendedError } from 'quorlock'
import { RedlockModule, RedlockService } from 'quorlock/nestjs'
import { TestRedlock } from 'quorlock/testing'
import { Database, OrdersService } from './recipes.js'

@Module({
  imports: [RedlockModule.forRoot({ nodes: 'redis://127.0.0.1:1', logger: false })],
  providers: [Database, OrdersService],
})
class OrdersModule {}

describe('orders', () => {
  let redlock: TestRedlock
  let module: TestingModule

  beforeEach(async () => {
    redlock = new TestRedlock()
    module = await Test.createTestingModule({ imports: [OrdersModule] })
      .overrideProvider(RedlockService)
      .useValue(redlock)
      .compile()
    await module.init()
  })

  afterEach(async () => {
    await module.close() // and with it the TestRedlock
  })

  test('a product that somebody else is selling is waited for, but not for long', async () => {
    await redlock.acquire('lock:product:p1', 10_000)
    const order = module.get(OrdersService).place({ productId: 'p1', quantity: 1 })
    await redlock.advance(2000)
    await assert.rejects(order, LockContendedError)
  })
})
