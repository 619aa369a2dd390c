// Locks in Postgres beside the published types of pg. Compiled only: no server is here, and nothing of pg.

import type { ClientBase, Pool, PoolClient } from 'pg'
import { type Lock, type LockProvider, Redlock } from 'quorlock'
import { PostgresLockProvider, type PostgresPool, type PostgresTransactionLock } from 'quorlock/postgres'

declare const pool: Pool

const sessions = new PostgresLockProvider({ pool })
const transactions = new PostgresLockProvider({ pool, mode: 'transaction' })
export const providers: LockProvider[] = [sessions, transactions]

export async function buy(productId: string): Promise<boolean> {
  return transactions.withLock(`lock:product:${productId}`, 5000, async ({ client }) => {
    const exactly: PoolClient = client
    const { rowCount } = await exactly.query('UPDATE products SET stock = stock - 1 WHERE id = $1', [productId])
    const { rows } = await client.query<{ stock: number }>('SELECT stock FROM products WHERE id = $1', [productId])
    return rowCount === 1 && rows.every(({ stock }) => stock >= 0)
  })
}

export async function hold() {
  const lock = await transactions.acquire('key', 5000)
  const base: ClientBase = lock.client
  // @ts-expect-error in the session form there may be no client
  const none: PoolClient = (await sessions.acquire('key', 5000)).client
  // @ts-expect-error no property of pg's clients
  return [base, none, lock.client.rowCount]
}

// As a fallback, whose handles may be of any provider.
const redlock = new Redlock({ nodes: 'memory', fallback: transactions })
export const fallenBack = redlock.withLock('key', 5000, async ({ degraded, inner }: Lock) => {
  if (!degraded) return
  // @ts-expect-error the Redlock does not know whose they are
  await inner.client.query('SELECT 1')
  const { client } = inner as PostgresTransactionLock<PoolClient>
  const { rowCount } = await client.query('SELECT 1')
  return rowCount
})

// Named, and a pool with less than pg's.
export const named: PostgresLockProvider<Pool, 'transaction'> = transactions
declare const plain: PostgresPool
export const any = new PostgresLockProvider({ pool: plain, mode: 'transaction' }).withLock('key', 5000, ({ client }) =>
  client.query('SELECT 1').then(({ rows }) => rows[0]),
)
// @ts-expect-error no pool
export const wrong = () => new PostgresLockProvider({ pool: {} })
