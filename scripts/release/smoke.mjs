// A built addon on its own platform: loads, locks, waits, loses and closes, all in memory. No test tools, no Redis, so
// that it runs in any container that has Node.

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { Redlock } from '../../index.mjs'
import { addonPath } from '../support/addon.mjs'

// else a binary from elsewhere was loaded, and this test says nothing
assert.ok(existsSync(addonPath()), `${addonPath()} is not there`)

const redlock = new Redlock({ nodes: 'memory' })
let counter = 0
await Promise.all(
  Array.from({ length: 20 }, () =>
    redlock.withLock('counter', 2000, async () => {
      const seen = counter
      await new Promise(setImmediate)
      counter = seen + 1
    }),
  ),
)
assert.equal(counter, 20)

const lock = await redlock.acquire('key', 2000)
assert.equal(await redlock.tryAcquire('key', 2000), null)
assert.equal(await lock.release(), 'released')

const worker = new Worker(
  `const { Redlock } = require(${JSON.stringify(fileURLToPath(new URL('../../index.js', import.meta.url)))})
   new Redlock({ nodes: 'memory' }).withLock('key', 2000, () => {})`,
  { eval: true },
)
await new Promise((resolve, reject) => worker.once('error', reject).once('exit', resolve))

await redlock.close()
console.log(`${process.platform} ${process.arch}, Node ${process.version}: works`)
