// Another instance in the place of the module's own: who gets it, and what becomes of both.

import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { Injectable } from '@nestjs/common'
import { Test } from '@nestjs/testing'
import { currentLock, type Lock, Redlock } from 'quorlock'
import { getRedlockToken, InjectRedlock, RedlockModule, RedlockService, WithLock } from 'quorlock/nestjs'
import { TestRedlock } from 'quorlock/testing'
import { gate, memory, Recorder, until, within } from './support.js'

@Injectable()
class Clerk {
  lock: Lock | undefined
  constructor(
    readonly service: RedlockService,
    @InjectRedlock() readonly redlock: Redlock,
  ) {}

  @WithLock('lock:desk', { ttl: 1000 })
  async work(until: Promise<unknown> = Promise.resolve()) {
    this.lock = currentLock()
    await until
    return this.lock
  }
}

@Injectable()
class Reporter {
  @InjectRedlock('reports') readonly redlock!: Redlock

  @WithLock('lock:report', { ttl: 1000, name: 'reports' })
  async report() {
    return currentLock()?.key
  }
}

const own = 'redis://127.0.0.1:1' // where nobody is
const closed = { code: 'ERR_REDLOCK_CLOSED' }

test('of the service: everybody gets the other one, @WithLock too', async () => {
  const mine = new Redlock({ nodes: memory() })
  const imports = [RedlockModule.forRoot({ nodes: own, logger: false })]
  const module = await Test.createTestingModule({ imports, providers: [Clerk] })
    .overrideProvider(RedlockService)
    .useValue(mine)
    .compile()
  const clerk = module.get(Clerk)
  assert.deepEqual([clerk.service === mine, clerk.redlock === mine], [true, true])
  assert.equal((await clerk.work())?.key, 'lock:desk')
  assert.equal(mine.stats().acquired, 1)
  await module.close()
  await assert.rejects(mine.acquire('key', 1000), closed)
})

test("of the default instance's token: @InjectRedlock and @WithLock get it, and the module's own is closed, too", async () => {
  const mine = new Redlock({ nodes: memory() })
  const imports = [RedlockModule.forRoot({ nodes: own, logger: false })]
  const module = await Test.createTestingModule({ imports, providers: [Clerk] })
    .overrideProvider(getRedlockToken())
    .useValue(mine)
    .compile()
  await module.init()
  const clerk = module.get(Clerk)
  assert.equal(clerk.redlock, mine)
  assert.notEqual(clerk.service, mine)
  assert.equal((await clerk.work())?.key, 'lock:desk')
  assert.equal(mine.stats().acquired, 1)
  await module.close()
  for (const redlock of [mine, clerk.service]) await assert.rejects(redlock.acquire('key', 1000), closed)
})

test('of a name', async () => {
  const mine = new Redlock({ nodes: memory() })
  const imports = [RedlockModule.forRoot({ nodes: own, logger: false, name: 'reports' })]
  const module = await Test.createTestingModule({ imports, providers: [Reporter] })
    .overrideProvider(getRedlockToken('reports'))
    .useValue(mine)
    .compile()
  assert.equal(module.get(Reporter).redlock, mine)
  assert.equal(await module.get(Reporter).report(), 'lock:report')
  await module.close()
  await assert.rejects(mine.acquire('key', 1000), closed)
})

test('a stand-in of a test may have as little as the test needs', async () => {
  const run = (_key: string, _ttl: number, section: (lock: object) => unknown) => section({})
  const stats = () => ({ nodes: [] })
  for (const standIn of [{ withLock: run }, { withLock: run, stats }, { withLock: run, stats: () => ({}) }]) {
    const imports = [RedlockModule.forRoot({ nodes: own })] // with a log, which would listen
    const module = await Test.createTestingModule({ imports, providers: [Clerk] })
      .setLogger(new Recorder())
      .overrideProvider(RedlockService)
      .useValue(standIn)
      .compile()
    await module.init()
    assert.equal(await module.get(Clerk).work(), undefined)
    await module.close()
  }
})

test('a TestRedlock lets the container close, whatever is held, and whether its nodes are up or down', async () => {
  for (const failing of [0, 3]) {
    const redlock = new TestRedlock()
    const imports = [RedlockModule.forRoot({ nodes: own, logger: false })]
    const module = await Test.createTestingModule({ imports, providers: [Clerk] })
      .overrideProvider(RedlockService)
      .useValue(redlock)
      .compile()
    await module.init()
    const forgotten = await redlock.acquire('forgotten', 60_000)
    const clerk = module.get(Clerk)
    const { opened, open: end } = gate()
    const working = clerk.work(opened)
    await until(() => clerk.lock !== undefined)
    await redlock.failNodes(failing)
    // longer than its default shutdownTimeout, which would pass by a clock that stands still
    await within(15_000, module.close())
    assert.deepEqual([forgotten.isHeld, clerk.lock?.signal.aborted], [false, true])
    end()
    await working
    await assert.rejects(redlock.acquire('key', 1000), closed)
  }
})
