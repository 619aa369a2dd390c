// Fallbacks as a user writes them. Compiled and then run, on memory nodes and a pool that is no pool of pg.

import assert from 'node:assert/strict'
import { type Fallback, type Lock, type LockProvider, QuorumUnavailableError, Redlock } from 'quorlock'
import {
  type PostgresLock,
  PostgresLockProvider,
  type PostgresPool,
  type PostgresTransactionLock,
} from 'quorlock/postgres'

const away: PostgresPool = {
  connect: () => Promise.reject(new Error('nobody is there')),
  query: () => Promise.reject(new Error('nobody is there')),
}

const sessions = new PostgresLockProvider({ pool: away, wait: 0 })
const transactions = new PostgresLockProvider({ pool: away, mode: 'transaction', wait: 0, namespace: 'shop' })
const providers: LockProvider[] = [sessions, transactions]
assert.equal(providers.length, 2)

const session: Promise<PostgresLock> = sessions.acquire('key', 1000)
const refusal: unknown = await session.catch((error: unknown) => error)
assert.ok(refusal instanceof QuorumUnavailableError)

const write = async ({ client }: PostgresTransactionLock) => {
  await client.query('SELECT 1')
}
await assert.rejects(transactions.withLock('key', 1000, write), QuorumUnavailableError)
// @ts-expect-error in the session form there may be no client
const wrong = () => sessions.withLock('key', 1000, ({ client }) => client.query('SELECT 1'))
assert.equal(typeof wrong, 'function')

const fallback: Fallback = sessions
const redlock = new Redlock({ nodes: 'memory:fallback', fallback, fallbackAfter: 500, breaker: { failures: 2 } })
redlock.on('degraded', ({ degraded, cause }) => console.log(degraded, cause?.message))
const degraded: boolean = await redlock.withLock('key', 1000, (lock: Lock) => lock.degraded, { fallback: 'local' })
assert.equal(degraded, false)
const stats = redlock.stats()
const isDegraded: boolean = stats.degraded
const breaker: 'closed' | 'open' | 'probing' | undefined = stats.breaker
assert.deepEqual({ isDegraded, breaker }, { isDegraded: false, breaker: 'closed' })
// @ts-expect-error no such word
assert.throws(() => new Redlock({ nodes: 'memory', fallback: 'memory' }), TypeError)
await redlock.close()
await sessions.close()
console.log('fallback: ok')
