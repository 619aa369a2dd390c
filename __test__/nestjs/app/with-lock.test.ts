// @WithLock: keys, contention, errors.

import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { Injectable } from '@nestjs/common'
import { currentLock, LockContendedError } from 'quorlock'
import { RedlockModule, RedlockService, WithLock } from 'quorlock/nestjs'
import { block, failureOf, gate, memory, start, until } from './support.js'

const failure = new Error('mine')

class Shop {
  readonly prefix = 'shop'

  @WithLock('lock:fixed', { ttl: 1000 })
  async fixed() {
    return currentLock()?.key
  }

  @WithLock(['lock:b', 'lock:a'], { ttl: 1000 })
  async both() {
    return currentLock()?.key
  }

  @WithLock((id: number, _note?: string) => `lock:product:${id}`, { ttl: 1000 })
  async byId(id: number, note = 'none') {
    return [currentLock()?.key, id, note]
  }

  @WithLock<Shop['named']>((order) => [order.id, `${order.id}:stock`], { ttl: 1000 })
  async named(_order: { id: string }) {
    return currentLock()?.key
  }

  @WithLock(
    function (this: Shop) {
      return this.prefix
    },
    { ttl: 1000 },
  )
  async byObject() {
    return currentLock()?.key
  }

  @WithLock('lock:fails', { ttl: 1000 })
  async fails() {
    throw failure
  }

  @WithLock(
    () => {
      throw failure
    },
    { ttl: 1000 },
  )
  async keyFails() {}

  @WithLock('lock:slow', { ttl: 1000, wait: 0 })
  async slow(until: Promise<void>) {
    await until
    return 'slow'
  }

  @WithLock('lock:skip', { ttl: 1000, wait: 0, whenContended: 'skip' })
  async skipped(work: () => Promise<unknown>): Promise<unknown> {
    return work()
  }

  @WithLock('lock:late', { ttl: 40, wait: 0, renew: false, whenContended: 'skip' })
  async late(): Promise<string | undefined> {
    return 'called'
  }

  @WithLock('lock:elsewhere', { ttl: 1000, name: 'reports' })
  async report() {
    return currentLock()?.key
  }
}
Injectable()(Shop)

const open = (nodes = memory()) => RedlockModule.forRoot({ nodes })

test('keys: fixed, several, from the arguments, from the object', async (t) => {
  const app = await start(t, { imports: [open()], providers: [Shop] })
  const shop = app.get(Shop)
  assert.equal(await shop.fixed(), 'lock:fixed')
  assert.deepEqual(await shop.both(), ['lock:b', 'lock:a'])
  assert.deepEqual(await shop.byId(7), ['lock:product:7', 7, 'none'])
  assert.deepEqual(await shop.byId(8, 'gift'), ['lock:product:8', 8, 'gift'])
  assert.deepEqual(await shop.named({ id: 'x' }), ['x', 'x:stock'])
  assert.equal(await shop.byObject(), 'shop')
  assert.equal(currentLock(), undefined)
})

test('what the method or the key function throws is what the caller gets', async (t) => {
  const app = await start(t, { imports: [open()], providers: [Shop] })
  for (const call of ['fails', 'keyFails'] as const) {
    assert.equal(await failureOf(app.get(Shop)[call]()), failure)
  }
})

test('contention throws, or skips; a loss of somebody else inside is no skip', async (t) => {
  const app = await start(t, { imports: [open()], providers: [Shop] })
  const shop = app.get(Shop)
  const { opened, open: end } = gate()
  const first = shop.slow(opened)
  const since = performance.now()
  await assert.rejects(shop.slow(opened), LockContendedError)
  assert.ok(performance.now() - since < 4000, 'it waited for its default of 6.5 s, and not `wait: 0`')
  end()
  assert.equal(await first, 'slow')

  const other = gate()
  const working = shop.skipped(() => other.opened.then(() => 'done'))
  assert.equal(await shop.skipped(async () => assert.fail('called')), undefined)
  other.open()
  assert.equal(await working, 'done')

  const inner = new LockContendedError('of another lock')
  await assert.rejects(
    shop.skipped(async () => Promise.reject(inner)),
    (error) => error === inner,
  )
  const deadlock = await failureOf(shop.skipped(() => shop.skipped(async () => 1)))
  assert.equal(deadlock.reentrant, true)
})

test('a lock that had run out before the method could begin is no skip: nobody else is at the work', async (t) => {
  const module = RedlockModule.forRoot({ nodes: memory(), logger: false })
  const app = await start(t, { imports: [module], providers: [Shop] })
  const [shop, redlock] = [app.get(Shop), app.get(RedlockService, { strict: false })]
  await redlock.connect()
  // Both grants come at once, and who is told first keeps the other from beginning. Where they do not, it is called.
  const answer = await until(async () => {
    const blocking = redlock.acquire('lock:blocking', 1000).then((lock) => {
      block(60)
      return lock.release()
    })
    const outcome = await shop.late().then(String, String)
    await blocking
    return outcome !== 'called' && outcome
  })
  assert.match(String(answer), /^LockContendedError: .* it was granted, but expired before the function could start/)
})

test('without the module, the error says what to do', async (t) => {
  const app = await start(t, { providers: [Shop] })
  const expected = /^@WithLock\(\) on Shop\.fixed: .*Import RedlockModule\.forRoot\(\)/
  await assert.rejects(app.get(Shop).fixed(), { message: expected })
  await assert.rejects(new Shop().fixed(), { message: expected })
  const { fixed } = app.get(Shop)
  await assert.rejects((fixed as () => Promise<unknown>)(), { message: expected })
})

test('a name that no instance has is told, with those that there are', async (t) => {
  const app = await start(t, { imports: [open()], providers: [Shop] })
  await assert.rejects(app.get(Shop).report(), {
    message: '@WithLock() on Shop.report: no RedlockModule has the name "reports"; there is "default"',
  })
  const named = RedlockModule.forRoot({ nodes: memory(), name: 'reports' })
  const other = await start(t, { imports: [named], providers: [Shop] })
  assert.equal(await other.get(Shop).report(), 'lock:elsewhere')
  await assert.rejects(other.get(Shop).fixed(), /no RedlockModule has the name "default"/)
})

test('wrong options are told where the class is declared', () => {
  // biome-ignore lint/suspicious/noExplicitAny: what a JavaScript user may give
  const wrong = (key: any, options: any) => () => WithLock(key, options)
  assert.throws(wrong('key', undefined), { code: 'ERR_INVALID_ARG_TYPE' })
  assert.throws(wrong(undefined, { ttl: 1000 }), /key of @WithLock\(\) must be a key/)
  assert.throws(wrong(['a', 1], { ttl: 1000 }), /key of @WithLock\(\) must be a key/)
  assert.throws(wrong('key', {}), /ttl must be an integer/)
  assert.throws(wrong('key', { ttl: 9 }), { code: 'ERR_OUT_OF_RANGE' })
  assert.throws(wrong('key', { ttl: 1000, whenContended: 'wait' }), /whenContended must be 'throw' or 'skip'/)
  assert.throws(wrong('key', { ttl: 1000, signal: AbortSignal.abort() }), /only have the names ttl, name/)
  assert.throws(wrong('key', { ttl: 1000, name: 1 }), /name must be a string/)
  assert.throws(wrong('key', { ttl: 1000, name: '' }), /name must not be empty/)
  assert.throws(wrong('key', { ttl: 86_400_001 }), { code: 'ERR_OUT_OF_RANGE' })
  for (const [name, bad] of Object.entries({
    wait: -1,
    retryCount: 1.5,
    retryDelay: 0,
    retryDelayMax: '1',
    renew: 'x',
    whenLost: 'no',
    fallback: 'x',
    fallbackAfter: -1,
  })) {
    assert.throws(wrong('key', { ttl: 1000, [name]: bad }), new RegExp(`^(Type|Range)Error.*: ${name} must`))
  }
  assert.throws(wrong('key', { ttl: 1000, retryDelay: 20, retryDelayMax: 10 }), /retryDelayMax must be at least/)
  for (const key of ['', [], [''], 'a:quorlock:b', 'x'.repeat(513)]) {
    assert.throws(wrong(key, { ttl: 1000 }), /^(Type|Range)Error.*: key(\[0\])? must/)
  }
  const right = { wait: 0, retryCount: 0, retryDelay: 1, retryDelayMax: 1, renew: false, whenLost: 'reject' }
  assert.doesNotThrow(wrong(['a', 'b'], { ttl: 86_400_000, ...right, fallback: 'local', fallbackAfter: 0 }))
  // biome-ignore lint/suspicious/noExplicitAny: as decorators are called
  const decorate = WithLock('key', { ttl: 1000 }) as any
  class Wrong {
    static async one() {}
    async two() {}
  }
  assert.throws(() => decorate(Wrong, 'one', Object.getOwnPropertyDescriptor(Wrong, 'one')), /static method/)
  assert.throws(() => decorate(Wrong.prototype, 'field', undefined), /Wrong\.field: it must stand on a method/)
  assert.throws(() => decorate(Wrong.one, { kind: 'method', name: 'one' }), /experimentalDecorators/)
})
