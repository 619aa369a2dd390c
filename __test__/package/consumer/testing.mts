// A user of `quorlock/testing` in TypeScript. Compiled and then run.

import assert from 'node:assert/strict'
import { type FencedLock, LockLostError, type LockProvider, Redlock } from 'quorlock'
import { TestRedlock, type TestRedlockOptions } from 'quorlock/testing'

const options: TestRedlockOptions = { nodes: 5, keyPrefix: 'test:', wait: 0 }
const redlock = new TestRedlock(options)
const asRedlock: Redlock<boolean> = redlock
const provider: LockProvider = new TestRedlock()
assert.ok(asRedlock instanceof Redlock)
assert.ok(provider instanceof TestRedlock)

const lock = await redlock.acquire('order', 5000)
await redlock.advance(1000)
const remaining: number = lock.remaining
assert.ok(remaining > 3900 && remaining < 4000)
await redlock.loseLock('order')
assert.ok(lock.signal.reason instanceof LockLostError)

const fenced = new TestRedlock({ with: redlock, fencing: true })
const held: FencedLock = await fenced.acquire('order', 5000)
assert.ok(held.token > 0)
const plain = new TestRedlock({ with: fenced })
// @ts-expect-error without fencing
await plain.withLock('another', 5000, ({ token }) => token)
await redlock.failNodes(3)
await redlock.restartNode(4)
await redlock.settled()
await redlock.reset()

// @ts-expect-error a number of nodes, no addresses
assert.throws(() => new TestRedlock({ nodes: ['redis://localhost'] }))
// @ts-expect-error not a TestRedlock
assert.throws(() => new TestRedlock({ with: new Redlock({ nodes: 'memory' }) }))

await Promise.all([redlock.close(), fenced.close({ timeout: 0 }), plain.close()])
console.log('testing: ok')
