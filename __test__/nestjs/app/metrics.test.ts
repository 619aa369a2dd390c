// The metrics of applications with RedlockModule, in a registry of prom-client.

import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { Injectable } from '@nestjs/common'
import * as client from 'prom-client'
import type { Redlock } from 'quorlock'
import { InjectRedlock, RedlockModule, RedlockService, WithLock } from 'quorlock/nestjs'
import { RedlockMetricsModule } from 'quorlock/nestjs/metrics'
import { gate, memory, start, until } from './support.js'

@Injectable()
class Jobs {
  @InjectRedlock('stock') readonly stock!: Redlock
  @WithLock('job:1', { ttl: 1000 })
  async run() {}
}

const forward = <Item>(items: Item[]) => items
const backward = <Item>(items: Item[]) => items.reverse()

/** How many locks were held and given back, by the instance's name and the class of the keys. */
async function held(register: client.Registry) {
  const lines = (await register.metrics()).split('\n').filter((line) => line.startsWith('quorlock_hold_seconds_count'))
  const read = (line: string, label: string) => line.match(new RegExp(`\\b${label}="([^"]*)"`))?.[1]
  const counted = lines.filter((line) => !line.endsWith(' 0'))
  return counted.map((line) => `${read(line, 'redlock')} ${read(line, 'key_class')} ${line.split(' ').at(-1)}`).sort()
}

test('of two instances of RedlockModule, imported before it and after it, until the application ends', async (t) => {
  for (const order of [forward, backward]) {
    const register = new client.Registry()
    const keyClass = (key: string | readonly string[]) => String(key).split(':')[0] ?? ''
    const imports = order([
      RedlockModule.forRootAsync({ isGlobal: true, useFactory: async () => ({ nodes: memory(), logger: false }) }),
      RedlockModule.forRoot({ name: 'stock', isGlobal: true, nodes: memory(), logger: false }),
      RedlockMetricsModule.forRoot({ client, register, keyClass }),
      RedlockMetricsModule.forRoot({ client, register, keyClass, name: 'stock' }),
    ])
    const app = await start(t, { imports, providers: [Jobs] })
    await app.get(Jobs).run()
    await app.get(Jobs).stock.withLock('variant:1', 1000, () => {})
    assert.deepEqual(await held(register), ['default job 1', 'stock variant 1'])
    await app.close()
    assert.deepEqual(register.getMetricsAsArray(), [])
  }
})

test('of an instance whose module is not global; and without it the application does not start', async (t) => {
  const register = new client.Registry()
  const redlock = RedlockModule.forRoot({ nodes: memory(), logger: false })
  const metrics = (imports: object[]) => RedlockMetricsModule.forRoot({ client, register, imports })
  const app = await start(t, { imports: [metrics([redlock])] })
  await app.get(RedlockService, { strict: false }).withLock('key', 1000, () => {})
  assert.deepEqual(await held(register), ['default undefined 1'])
  await app.close()
  await assert.rejects(start(t, { imports: [metrics([])] }), { code: 'ERR_QUORLOCK_NOT_PROVIDED' })
})

test('an application whose start failed leaves the registry to the next one', async (t) => {
  const register = new client.Registry()
  class Failing {
    onModuleInit() {
      throw new Error('no database yet')
    }
  }
  const redlock = () => RedlockModule.forRoot({ nodes: memory(), logger: false, isGlobal: true })
  const imports = () => [redlock(), RedlockMetricsModule.forRoot({ client, register })]
  for (let i = 0; i < 2; i += 1) {
    await assert.rejects(start(t, { imports: imports(), providers: [Failing] }), /no database yet/)
  }
  const app = await start(t, { imports: imports() })
  await app.get(RedlockService, { strict: false }).withLock('key', 1000, () => {})
  assert.deepEqual(await held(register), ['default undefined 1'])
  // Those that run are no reason to give way.
  await assert.rejects(start(t, { imports: imports() }), { code: 'ERR_QUORLOCK_OBSERVED' })
})

test('of two applications that start at the same time one runs with metrics, and the other does not start', async (t) => {
  const register = new client.Registry()
  const { opened, open } = gate()
  let begun = 0
  class Slow {
    async onApplicationBootstrap() {
      begun += 1
      await opened
    }
  }
  const begin = () => {
    const redlock = RedlockModule.forRoot({ nodes: memory(), logger: false, isGlobal: true })
    return start(t, { imports: [redlock, RedlockMetricsModule.forRoot({ client, register })], providers: [Slow] })
  }
  const both = Promise.allSettled([begin(), begin()])
  await until(() => begun > 0, { what: 'one of them has got that far' })
  open()
  const [one, other] = (await both).sort((a, b) => a.status.localeCompare(b.status))
  assert.equal(other?.status === 'rejected' && other.reason.code, 'ERR_QUORLOCK_OBSERVED')
  assert.ok(one?.status === 'fulfilled')
  await one.value.get(RedlockService, { strict: false }).withLock('key', 1000, () => {})
  assert.deepEqual(await held(register), ['default undefined 1'])
  await one.value.close()
  assert.deepEqual(register.getMetricsAsArray(), [])
})
