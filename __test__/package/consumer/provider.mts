// Code written against the interface, not against Redlock. Compiled and then run, on memory nodes.

import assert from 'node:assert/strict'
import { type DistributedLock, type LockProvider, Redlock } from 'quorlock'

async function onlyOne(provider: LockProvider, resource: string, work: () => Promise<void>): Promise<boolean> {
  await using lock: DistributedLock = provider.createLock(resource)
  if (!(await lock.tryAcquire(0))) return false
  await work()
  return await lock.extend(1000)
}

const redlock = new Redlock({ nodes: 'memory:provider' })
const inner: boolean[] = []
const outer = await onlyOne(redlock, 'job', async () => {
  inner.push(await onlyOne(redlock, 'job', async () => {}))
})
assert.deepEqual({ outer, inner }, { outer: true, inner: [false] })
await redlock.close()
console.log('provider: ok')
