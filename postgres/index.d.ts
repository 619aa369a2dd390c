/// <reference types="node" />

// The manual of `quorlock/postgres`. All times are in milliseconds. Bad input is a `TypeError` or `RangeError`, as in the
// manual of `quorlock`. Nothing of the package `pg` is loaded or named in these types: the pool is yours.

import type {
  AcquireOptions,
  CloseOptions,
  CreateLockOptions,
  DistributedLock,
  Lock,
  LockProvider,
  WithLockOptions,
} from 'quorlock'

/** What is used of a client of `pg`. */
export interface PostgresClient {
  query(text: string, values?: unknown[]): Promise<{ rows: Record<string, unknown>[]; command: string }>
  release: unknown
  on: unknown
  off: unknown
}

/** What is used of a pool of `pg`: `new Pool()` fits. */
export interface PostgresPool<Client extends PostgresClient = PostgresClient> {
  connect(): Promise<Client>
  query: unknown
}

/**
 * The client that a pool gives. That of `pg` declares `connect()` twice, as it also takes a callback, and of two a plain
 * `infer` sees the last one only.
 */
export type PostgresClientOf<Pool extends PostgresPool> = Pool extends {
  // biome-ignore lint/suspicious/noExplicitAny: whatever the other one is
  connect: { (): Promise<infer Client extends PostgresClient>; (...args: any[]): any }
}
  ? Client
  : Pool extends PostgresPool<infer Client>
    ? Client
    : never

/** Whether a lock belongs to a connection or to a transaction. */
export type PostgresMode = 'session' | 'transaction'

export interface PostgresLockOptions<
  Pool extends PostgresPool = PostgresPool,
  Mode extends PostgresMode = PostgresMode,
> {
  /**
   * Your pool; `close()` does not end it. Every lock that is held has one of its connections, so it needs as many as are held
   * at once. In the session form it is a pool of its own, with which nothing else is done: of one for locks and work, the
   * locks can take all connections, and those who hold them wait for one more without end. Who waits for a lock takes a
   * connection for a moment at a time. Listen to its event `error`, as `pg` says.
   */
  pool: Pool
  /**
   * - `'session'`: the lock belongs to a connection of its own, which does nothing else. Not through a proxy that shares
   *   connections between transactions (PgBouncer's transaction pooling)
   * - `'transaction'`: the lock belongs to a transaction (READ COMMITTED), which you write in by `lock.client`. `withLock`
   *   commits it when its function returns, and rolls it back when that throws; `release()` commits. What is
   *   written there is never written without the lock
   *
   * The two exclude each other. @default 'session'
   */
  mode?: Mode | undefined
  /**
   * Locks exclude each other within a namespace: text of at most 512 UTF-8 bytes. As a fallback, give it the `keyPrefix` of the
   * `Redlock`, which the keys come without. @default 'quorlock'
   */
  namespace?: string | undefined
  /** How long a call may wait for a lock in all: an integer of at least 0. @default 6550 */
  wait?: number | undefined
  /** The pause after the first refusal; each pause is drawn from its upper half. @default 20 */
  retryDelay?: number | undefined
  /** The longest pause. @default 250, or retryDelay where that is longer */
  retryDelayMax?: number | undefined
  /**
   * How long Postgres may take to answer a statement of ours, and the pool to give a connection. A call that waits for a
   * lock waits for neither longer than its `wait`, or 250 ms where that is nearly over. @default 2000
   */
  answerTimeout?: number | undefined
  /** The ttl of `createLock` where none is given. @default 5000, or maxTtl where that is shorter */
  defaultTtl?: number | undefined
  /**
   * The longest ttl that may be asked for: an integer from 10 to 86,400,000. As a fallback, give it the `maxTtl` of the
   * `Redlock`, which refuses one with less. @default 60000
   */
  maxTtl?: number | undefined
  /** Whether `withLock` renews while its function runs. @default true */
  renew?: boolean | undefined
  /** How long a lock may be held by renewal. As a fallback, the shorter of this and the `maxHold` of the `Redlock`. @default 600000 */
  maxHold?: number | undefined
}

/** What one call may say. There is no fallback of a fallback. */
export type PostgresAcquireOptions = Omit<AcquireOptions, 'fallback' | 'fallbackAfter'>

/** As {@link PostgresAcquireOptions}, for `withLock`. */
export type PostgresWithLockOptions = Omit<WithLockOptions, 'fallback' | 'fallbackAfter'>

/**
 * A lock in Postgres. An advisory lock knows no ttl; what stands for it is a timer of this process:
 *
 * - when the ttl has passed without renewal, the lock is lost, and given back. While the event loop is blocked that is
 *   late: `isHeld` is false in time, and Postgres lets others in only afterwards
 * - `extend`, and renewal, ask the connection in the session form whether it is still there; in the transaction form they
 *   only set the timer, since a statement of yours may be running, and a connection that is gone writes nothing
 * - a connection that breaks is a lock that is lost at once, with the reason `'gone'`; Postgres frees it when it
 *   notices, which is after the statement that it is carrying out
 *
 * Renewal runs on the event loop, unlike that of `Redlock`. `votes` is one granted vote of `postgres`, `id` a random
 * name that Postgres does not know.
 */
export interface PostgresLock<Client extends PostgresClient = PostgresClient> extends Lock {
  /**
   * In the transaction form the client that is in the transaction; else undefined. Not to be released by you: others would get
   * it in the middle of the transaction. A process warning (`QUORLOCK_CLIENT`) tells when it was.
   */
  readonly client: Client | undefined
  /** In the transaction form: commits. `'expired'` when it was rolled back instead, `'unknown'` when nobody knows. */
  release(): Promise<'released' | 'expired' | 'unknown'>
}

/** As {@link PostgresLock}, in the transaction form. */
export interface PostgresTransactionLock<Client extends PostgresClient = PostgresClient> extends PostgresLock<Client> {
  readonly client: Client
}

/** The handle's type by the mode. */
export type PostgresLockOf<Client extends PostgresClient, Mode extends PostgresMode> = Mode extends 'transaction'
  ? PostgresTransactionLock<Client>
  : PostgresLock<Client>

/**
 * Locks on Postgres advisory locks: a fallback for `Redlock`, or locks of their own for who has Postgres and no Redis.
 *
 * ```ts
 * const locks = new PostgresLockProvider({ pool, mode: 'transaction' })
 * await locks.withLock(`lock:product:${id}`, 5000, async ({ client }) => {
 *   await client.query('UPDATE products SET stock = stock - 1 WHERE id = $1 AND stock > 0', [id])
 * })
 * ```
 *
 * Calls of one process have their turn in order; between processes whoever asks first gets it, and asks again after a
 * pause. Two keys whose hashes (64 bits) are the same exclude each other. A `null` or `LockContendedError`, too, says
 * that somebody else has the lock; a {@link QuorumUnavailableError} that Postgres, or the pool, did not answer.
 */
export class PostgresLockProvider<Pool extends PostgresPool = PostgresPool, Mode extends PostgresMode = 'session'>
  implements LockProvider
{
  /** @throws {TypeError | RangeError} for bad options. Connects to nothing */
  constructor(options: PostgresLockOptions<Pool, Mode>)

  /** {@link PostgresLockOptions.maxTtl}. */
  readonly maxTtl: number

  /**
   * As {@link Redlock.withLock}. In the transaction form it rejects where the transaction was not committed, with what
   * Postgres said, or a {@link LockLostError} that has the function's `result`.
   */
  withLock<T>(
    key: string | readonly string[],
    ttl: number,
    fn: (lock: PostgresLockOf<PostgresClientOf<Pool>, Mode>) => T | PromiseLike<T>,
    options?: PostgresWithLockOptions,
  ): Promise<T>

  /** As {@link Redlock.acquire}. A handle that is never released ends with its ttl, or with `maxHold` where it is renewed. */
  acquire(
    key: string | readonly string[],
    ttl: number,
    options?: PostgresAcquireOptions,
  ): Promise<PostgresLockOf<PostgresClientOf<Pool>, Mode>>

  /** As {@link Redlock.tryAcquire}: asks once. */
  tryAcquire(
    key: string | readonly string[],
    ttl: number,
    options?: PostgresAcquireOptions,
  ): Promise<PostgresLockOf<PostgresClientOf<Pool>, Mode> | null>

  /** As {@link Redlock.createLock}. */
  createLock(resource: string | readonly string[], options?: CreateLockOptions): DistributedLock

  /**
   * As {@link Redlock.close}: refuses new calls, rejects those that wait, leaves the holders `timeout` to release, and takes
   * away what is left; transactions are rolled back then. The pool stays open.
   */
  close(options?: CloseOptions): Promise<void>
}
