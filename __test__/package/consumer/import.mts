// An ESM user in TypeScript. Compiled and then run, on memory nodes.

import assert from 'node:assert/strict'
import {
  type FencedLock,
  isLockError,
  type Lock,
  LockContendedError,
  LockError,
  LockLostError,
  QuorumUnavailableError,
  Redlock,
  RedlockClosedError,
} from 'quorlock'

const redlock = new Redlock({ nodes: 'memory:import', retryCount: 0, keyPrefix: 'consumer:' })
await redlock.connect({ timeout: 1000 })

const length: number = await redlock.withLock('order', 5000, async (lock: Lock) => {
  const signal: AbortSignal = lock.signal
  assert.equal(signal.aborted, false)
  await lock.extend(6000)
  return lock.id.length
})
assert.equal(length, 32)

// with fencing, and only then, a handle has a token
{
  const fenced = new Redlock({ nodes: 'memory', fencing: true })
  const token: number = await fenced.withLock('fenced', 5000, (lock) => lock.token, { whenLost: 'reject' })
  assert.ok(token > 0)
  const lock: FencedLock = await fenced.acquire('fenced', 5000)
  assert.ok(lock.token > token)
  await lock.release()
  // @ts-expect-error without fencing
  await redlock.withLock('order', 5000, (plain) => plain.token)
  await fenced.close()
}

// what a function returns without a promise comes back as what it is
const answer: 'yes' = await redlock.withLock('answer', 5000, () => 'yes' as const)
assert.equal(answer, 'yes')

{
  await using lock = await redlock.acquire(['a', 'b'], 5000, { wait: 100 })
  assert.ok(lock.isHeld && lock.remaining > 0)
  const second: Lock | null = await redlock.tryAcquire('a', 5000)
  assert.equal(second, null)
  const [inspection] = await redlock.inspect('a')
  assert.ok(inspection?.held)

  const refusal: unknown = await redlock.acquire('a', 5000, { wait: 0 }).catch((error: unknown) => error)
  assert.ok(refusal instanceof LockContendedError && refusal instanceof LockError && isLockError(refusal))
  assert.ok(!(refusal instanceof QuorumUnavailableError || refusal instanceof LockLostError))
  const code: 'ERR_LOCK_CONTENDED' = refusal.code
  assert.equal(code, 'ERR_LOCK_CONTENDED')
}
// `await using` released both keys
const again = await redlock.acquire('a', 5000)
const outcome: 'released' | 'expired' | 'unknown' = await again.release()
assert.equal(outcome, 'released')

redlock.once('lost', ({ key, id, reason }) => assert.fail(`${key} ${id} ${reason}`))
redlock.on('nodeDown', ({ node, error }) => assert.fail(`${node} ${error}`))
const held: number = redlock.stats().held
assert.equal(held, 0)

await redlock.close({ timeout: 1000 })
await assert.rejects(redlock.acquire('a', 5000), RedlockClosedError)
console.log('import: ok')

/** Compiled only: each of these is a mistake that the types catch. */
export async function refused() {
  // @ts-expect-error nodes is required
  new Redlock({})
  // @ts-expect-error an option that does not exist
  new Redlock({ nodes: 'memory', retries: 3 })
  // @ts-expect-error a string is not a ttl
  await redlock.acquire('a', '5000')
  // @ts-expect-error no such event
  redlock.on('error', () => {})
  // @ts-expect-error the generated binding is private
  await import('quorlock/native/binding')
}
