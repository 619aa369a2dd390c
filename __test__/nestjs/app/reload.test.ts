// Hot reload: the new application is made before the old one is closed, or while it closes, of the same modules or of modules
// loaded anew.

import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { Injectable, Scope } from '@nestjs/common'
import * as client from 'prom-client'
import * as loaded from 'quorlock/nestjs'
import * as metrics from 'quorlock/nestjs/metrics'
import { anotherCopy, gate, memory, servers, start } from './support.js'

type Package = typeof loaded & typeof metrics

const once: Package = { ...loaded, ...metrics }
const anew = (): Package => ({
  ...anotherCopy<typeof loaded>('quorlock/nestjs'),
  ...anotherCopy<typeof metrics>('quorlock/nestjs/metrics'),
})

/** What a module of an application says, each time it is loaded; with metrics where it has a registry for them. */
function declare({ RedlockModule, RedlockService, WithLock, ...others }: Package, { nodes, register }: Settings) {
  @Injectable()
  class Jobs {
    constructor(readonly redlock: InstanceType<typeof RedlockService>) {}

    @WithLock('lock:job', { ttl: 5000, wait: 0 })
    async run(until: Promise<void>) {
      await until
      return 'ran'
    }
  }
  Reflect.defineMetadata('design:paramtypes', [RedlockService], Jobs)

  @Injectable({ scope: Scope.REQUEST })
  class Request {
    @WithLock('lock:request', { ttl: 5000 })
    async run() {
      return 'ran'
    }
  }
  const imports = [RedlockModule.forRoot({ nodes, isGlobal: true, logger: false, shutdownTimeout: 20 })]
  const observing = register && others.RedlockMetricsModule.forRoot({ client, register })
  return {
    ...{ Jobs, Request, RedlockService },
    metadata: { imports: observing ? [...imports, observing] : imports, providers: [Jobs, Request] },
  }
}

interface Settings {
  nodes: string | string[]
  register?: client.Registry
}

const ways: Record<string, (settings: Settings) => () => ReturnType<typeof declare>> = {
  'of the same modules': (settings) => {
    const declared = declare(once, settings)
    return () => declared
  },
  'of modules that are loaded anew': (settings) => () => declare(once, settings),
  'of modules and a package that are loaded anew': (settings) => () => declare(anew(), settings),
}

for (const [how, way] of Object.entries(ways)) {
  test(`the locks of the old application end, the new one works: ${how}`, async (t) => {
    const declared = way({ nodes: (await servers(t)).map(({ url }) => url) })
    let old = declared()
    let oldApp = await start(t, old.metadata)
    for (let reload = 0; reload < 2; reload += 1) {
      const { opened, open: end } = gate()
      const running = oldApp.get(old.Jobs).run(opened)
      const anew = declared()
      const app = await start(t, anew.metadata)
      const jobs = app.get(anew.Jobs)
      // The old one holds it, and the new one is refused: both are of one cluster.
      await assert.rejects(jobs.run(opened), { code: 'ERR_LOCK_CONTENDED' })
      const oldJobs = oldApp.get(old.Jobs)
      await oldApp.close()
      assert.equal(await jobs.run(Promise.resolve()), 'ran')
      assert.equal(await (await app.resolve(anew.Request)).run(), 'ran')
      await assert.rejects(oldJobs.run(opened), { code: 'ERR_REDLOCK_CLOSED' })
      assert.equal(jobs.redlock.stats().held, 0)
      end()
      assert.equal(await running, 'ran')
      old = anew
      oldApp = app
    }
  })

  test(`a close() that nobody waits for leaves the metrics to the new application: ${how}`, async (t) => {
    const register = new client.Registry()
    const declared = way({ nodes: memory(), register })
    /** The old one ends when it is told to, as where a request keeps it. */
    const { opened, open: end } = gate()
    t.after(end)
    class Lingering {
      beforeApplicationShutdown() {
        return opened
      }
    }
    const { metadata } = declared()
    const oldApp = await start(t, { ...metadata, providers: [...metadata.providers, Lingering] })
    const closing = oldApp.close()
    const anew = declared()
    const app = await start(t, anew.metadata)
    await app.get(anew.RedlockService, { strict: false }).withLock('lock:job', 5000, () => {})
    end()
    await closing
    const held = /^quorlock_hold_seconds_count\{redlock="default",outcome="released"\} 1$/m
    assert.match(await register.metrics(), held)
    // Who runs is no reason to give way.
    await assert.rejects(start(t, declared().metadata), { code: 'ERR_QUORLOCK_OBSERVED' })
  })
}
