// Hot reload: the new application is made before the old one is closed, of the same modules or of modules loaded anew.

import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { Injectable, Scope } from '@nestjs/common'
import * as loaded from 'quorlock/nestjs'
import { anotherCopy, gate, servers, start } from './support.js'

/** What a module of an application says, each time it is loaded. */
function declare({ RedlockModule, RedlockService, WithLock }: typeof loaded, nodes: string[]) {
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
  return { Jobs, Request, metadata: { imports, providers: [Jobs, Request] } }
}

const ways: Record<string, (nodes: string[]) => () => ReturnType<typeof declare>> = {
  'of the same modules': (nodes) => {
    const once = declare(loaded, nodes)
    return () => once
  },
  'of modules that are loaded anew': (nodes) => () => declare(loaded, nodes),
  'of modules and a package that are loaded anew': (nodes) => () =>
    declare(anotherCopy<typeof loaded>('quorlock/nestjs'), nodes),
}

for (const [how, way] of Object.entries(ways)) {
  test(`the locks of the old application end, the new one works: ${how}`, async (t) => {
    const declared = way((await servers(t)).map(({ url }) => url))
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
}
