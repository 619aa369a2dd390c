/// <reference types="node" />

// The manual. All times are in milliseconds. Everything that is exported is here; nothing else may be imported.
//
// Bad input (wrong types, values outside their limits, unknown option names, contradictions) is always a `TypeError`
// or `RangeError` with one of Node's codes `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`, found
// before anything is sent. The constructor, `fromEnv`, `createLock` and `on`/`once`/`off` throw it; methods that
// return promises reject with it. Options given as `undefined` count as not given.
//
// Importing the package throws an Error with the code `ERR_QUORLOCK_NATIVE_LOAD` where its native file cannot be
// loaded; the message names the platform, what is supported and the usual causes.

/**
 * A client of one set of independent Redis (or Valkey) nodes, and the locks it holds there.
 *
 * Connects by itself, in the background, and reconnects; a service may start before its nodes do. An idle instance
 * does not keep the process alive. One instance per process and set of nodes is enough: it is made for many thousand
 * locks at once.
 *
 * ```ts
 * const redlock = new Redlock({
 *   nodes: ['redis://redis-1:6379', 'redis://redis-2:6379', 'redis://redis-3:6379'],
 * })
 * const order = await redlock.withLock(`lock:product:${id}`, 5000, async (lock) => {
 *   const made = await createOrder(id, { signal: lock.signal })
 *   await decrementStock(id)
 *   return made
 * })
 * ```
 */
export class Redlock<Fencing extends boolean = false> implements LockProvider {
  /**
   * Checks the options and starts connecting.
   *
   * @throws {TypeError | RangeError} for bad options; `nodes` missing or empty among them
   * @throws {QuorumUnavailableError} for the first instance of a process that has no file descriptors or threads left for
   * it; once there are some, another one can be made
   */
  constructor(options: RedlockOptions<Fencing>)

  /**
   * An instance for the nodes that environment variables name:
   *
   * - `QUORLOCK_NODES`: URLs separated by commas (a comma inside a password is `%2C`), or `memory`. Wins over the rest.
   * - `REDIS_NODE1_HOST`, `REDIS_NODE1_PORT` (default 6379), `REDIS_NODE2_HOST` and so on, up to 15, without gaps;
   *   `REDIS_PASSWORD`, when set, is the password of all of these.
   *
   * An empty variable counts as not set.
   *
   * @param env where the variables are read. @default process.env
   * @param overrides options beside the nodes; `overrides.nodes`, when given, wins over the environment. @default {}
   * @throws {TypeError | RangeError} when no variable is set, a number is missing in between, or a value is wrong; the
   * message names the variable and never shows a password
   * @throws {QuorumUnavailableError} as the constructor
   */
  static fromEnv<Fencing extends boolean = false>(
    env?: Record<string, string | undefined>,
    overrides?: Partial<RedlockOptions<Fencing>>,
  ): Redlock<Fencing>

  /** {@link RedlockOptions.maxTtl}. */
  readonly maxTtl: number

  /**
   * Acquires the lock, calls `fn`, releases the lock, and resolves with what `fn` returned. The lock is renewed while
   * `fn` runs, off the JavaScript thread, until `maxHold`.
   *
   * `fn` is called from JavaScript in the caller's async context. What it throws or rejects with is what this promise
   * rejects with: the very same object. A release that fails or hangs changes neither result nor error, and delays
   * them by `nodeTimeout` at most. When the lock is lost meanwhile, `lock.signal` aborts; `fn` is not interrupted, and
   * its outcome still counts, unless `whenLost` is `'reject'`.
   *
   * Asking inside `fn` for a key that the same async context holds already would wait for itself for ever: `acquire`
   * and `withLock` reject at once with a `LockContendedError` whose `reentrant` is true, `tryAcquire` gives `null`.
   * This goes for all instances over the same nodes and `keyPrefix`.
   *
   * @param key what to lock, see {@link Redlock.acquire}
   * @param ttl how long the nodes keep the lock without renewal: an integer from 10 to `maxTtl`
   * @throws {LockContendedError} others held it until the wait ended; `fn` was not called
   * @throws {QuorumUnavailableError} too few nodes could vote; `fn` was not called
   * @throws {LockLostError} with `whenLost: 'reject'`, when the lock was lost before `fn` had returned; what it returned is
   * the error's `result`
   * @throws {RedlockClosedError} after `drain()` or `close()`
   * @throws `options.signal.reason` when the wait was aborted; a running `fn` is not affected by that signal
   * @throws {TypeError | RangeError} for bad input
   */
  withLock<T>(
    key: string | readonly string[],
    ttl: number,
    fn: (lock: LockOf<Fencing>) => T | PromiseLike<T>,
    options?: WithLockOptions,
  ): Promise<T>

  /**
   * Acquires the lock, waiting for its turn. Release it in a `finally` block, or use `await using`:
   *
   * ```ts
   * const lock = await redlock.acquire('lock:report', 10_000)
   * try {
   *   await makeReport(lock.signal)
   * } finally {
   *   await lock.release()
   * }
   * ```
   *
   * A handle that is never released stays locked until its ttl ends; when it is garbage-collected it is released, and
   * a process warning (`QUORLOCK_UNRELEASED`) tells so once.
   *
   * @param key one key, or 1 to 64 different keys that are locked all or none. A key is non-empty well-formed text of
   * at most 512 UTF-8 bytes, and does not contain `:quorlock:`. It is the name on the nodes, verbatim, behind
   * `keyPrefix`: other Redlock clients on the same nodes are excluded, and so is your data, so choose a prefix of its
   * own, like `lock:`
   * @param ttl how long the nodes keep the lock: an integer from 10 to `maxTtl`. Not renewed unless `renew` is true
   * @throws {LockContendedError} others held it until the wait ended
   * @throws {QuorumUnavailableError} too few nodes could vote
   * @throws {RedlockClosedError} after `drain()` or `close()`
   * @throws `options.signal.reason`, the very object, as soon as the signal aborts
   * @throws {TypeError | RangeError} for bad input
   */
  acquire(key: string | readonly string[], ttl: number, options?: AcquireOptions): Promise<LockOf<Fencing>>

  /**
   * Asks once. Resolves to `null` when another holds the lock or the votes were split. `wait`, `retryCount` and the
   * delays have no meaning here and are ignored, so that one options object can serve both methods.
   *
   * @throws {QuorumUnavailableError} no quorum answered: not the same as "taken", hence not `null`
   * @throws {RedlockClosedError} after `drain()` or `close()`
   * @throws `options.signal.reason`, the very object, as soon as the signal aborts
   * @throws {TypeError | RangeError} for bad input
   */
  tryAcquire(key: string | readonly string[], ttl: number, options?: AcquireOptions): Promise<LockOf<Fencing> | null>

  /**
   * A reusable lock object for one resource, for code written against an interface. Sends nothing by itself.
   *
   * @throws {TypeError | RangeError} for bad input
   */
  createLock(
    resource: string | readonly string[],
    options?: CreateLockOptions,
  ): Fencing extends true ? FencedDistributedLock : DistributedLock

  /**
   * Resolves once a quorum of nodes answers. Optional: everything else connects by itself.
   *
   * @throws {QuorumUnavailableError} when `timeout` has passed; its votes say what each node is missing
   * @throws {RedlockClosedError} after `drain()` or `close()`
   * @throws `options.signal.reason` when aborted
   */
  connect(options?: ConnectOptions): Promise<void>

  /**
   * Asks every node who holds a key, for diagnosis. By the time the answer is read it may have changed: never decide
   * by it.
   *
   * @throws {RedlockClosedError} after `drain()` or `close()`
   * @throws {TypeError | RangeError} for a bad key
   */
  inspect(key: string): Promise<Inspection[]>

  /** Counters since the start, and the state of each node. A snapshot, made synchronously; still readable after `close()`. */
  stats(): Stats

  /** The locks this instance holds now on its nodes; what a fallback has given is not among them. */
  locks(): HeldLock[]

  /**
   * The first half of `close()`, for an orderly shutdown: from now on new calls are refused, and calls that wait reject,
   * with `RedlockClosedError`. Locks that are held stay held, renewed and extendable; `stats()` and `locks()` go on.
   * There is no way back: `close()` follows when those who hold are done. Does nothing when called again.
   */
  drain(): void

  /**
   * Ends this instance: new calls are refused, calls that wait reject with `RedlockClosedError`, locks that are held
   * (running `withLock` functions among them) have `timeout` to be released, what is left is released, its signals
   * aborted with a `LockLostError` whose `reason` is `'closed'`, and the connections end.
   *
   * A handle whose validity has ended, before or meanwhile, is not waited for, released or not. A running `withLock`
   * function is waited for even when it has lost its lock, unless it has called `release()`. Nodes that lag have
   * `nodeTimeout` to answer the last releases.
   *
   * Idempotent: later calls return the same promise. Do not await it inside a `withLock` function of this instance,
   * since it waits for that function.
   *
   * Locks that a fallback has given are waited for and taken away, too; the fallback itself stays open.
   *
   * When the process (or worker thread) exits without it, locks are given back as far as the nodes answer within
   * 100 ms.
   */
  close(options?: CloseOptions): Promise<void>

  /**
   * Listens to an event. Nothing is ever emitted as `error`. What a listener throws is reported as a process warning
   * (`QUORLOCK_LISTENER`). An instance with listeners is not garbage-collected before `close()`.
   */
  on<E extends keyof RedlockEvents>(event: E, listener: (payload: RedlockEvents[E]) => void): this
  /** As `on`, for the next occurrence only. */
  once<E extends keyof RedlockEvents>(event: E, listener: (payload: RedlockEvents[E]) => void): this
  /** Stops listening. */
  off<E extends keyof RedlockEvents>(event: E, listener: (payload: RedlockEvents[E]) => void): this
}

/**
 * The lock of the innermost `withLock` function that the present async context runs in, whichever instance it is of, or
 * undefined: for code far below, that is handed no lock. A lock that was lost is still given, since its `signal` and
 * `isHeld` tell; one that was released is not.
 *
 * @template Fencing true where the lock is known to be of an instance with `fencing`
 */
export function currentLock<Fencing extends boolean = false>(): LockOf<Fencing> | undefined

/** @template Fencing the type of the option `fencing` */
export interface RedlockOptions<Fencing extends boolean = boolean> {
  /**
   * The nodes that vote, 1 to 15; required. Use 1, 3 or 5 independent primaries: with an even number one node more
   * must answer and no failure more is survived. Every process that shares locks must name the same nodes.
   *
   * - one URL or an array of URLs and {@link NodeOptions}:
   *   `redis://[[user]:password@]host[:port][/db]`, `rediss://` for TLS, `valkey://` and `valkeys://` likewise,
   *   `unix:///path/to.sock[?db=1]` or `redis+unix://`. User and password are percent-decoded. `?db=` may stand for
   *   the path; other query parameters are refused.
   * - `'memory'` or `'memory:<name>'`: no Redis, one set of locks per process and name, shared by all instances and
   *   worker threads. Locks nothing between processes.
   *
   * The same host, port and db twice is a `RangeError`; two addresses of one server let only the first one vote (code
   * `DUPLICATE`).
   */
  nodes: string | readonly (string | NodeOptions)[]

  /** Put before every key, verbatim; at most 512 UTF-8 bytes. Clients exclude each other only under the same prefix. @default '' */
  keyPrefix?: string | undefined

  /** How many nodes must grant: an integer from the majority to the number of nodes. @default the majority */
  quorum?: number | undefined

  /** Part of the ttl (0 to 0.5) by which clocks may run apart; with 2 ms more it is taken off every validity. @default 0.01 */
  driftFactor?: number | undefined

  /**
   * Rounds after the first before a call gives up: an integer from 0 to 1,000,000. Fewer where nodes are so slow that the sum
   * of the delays is over before. Has no effect where `wait` is given. @default 10
   */
  retryCount?: number | undefined

  /** Delay before the second round: an integer of at least 1. Doubles up to `retryDelayMax`; each delay is drawn from its upper half. @default 50 */
  retryDelay?: number | undefined

  /** The longest delay between rounds: an integer, at least `retryDelay`. @default 1000, or retryDelay where that is longer */
  retryDelayMax?: number | undefined

  /**
   * How long a call may wait for a lock in all: an integer from 0 (one round) to 2^31 - 1. Without it the time is the
   * sum of the delays of `retryCount` rounds: 6,550 ms by default. @default undefined
   */
  wait?: number | undefined

  /** How long one node may take to answer: an integer of at least 1. Never more than a quarter of the call's ttl. @default 250 */
  nodeTimeout?: number | undefined

  /** How long connecting to one node may take, TLS and AUTH included: an integer of at least 1. @default 2000 */
  connectTimeout?: number | undefined

  /** The ttl of `createLock` where none is given: an integer from 10 to `maxTtl`. @default 5000, or maxTtl where that is shorter */
  defaultTtl?: number | undefined

  /** The longest ttl that may be asked for: an integer from 10 to 86,400,000 (one day). Every process should have the same. @default 60000 */
  maxTtl?: number | undefined

  /** Whether `withLock` renews while its function runs. @default true */
  renew?: boolean | undefined

  /**
   * How long a lock may be held by renewal: an integer of at least 10. Then it is not renewed any more and is lost when
   * its ttl ends, so that a function that hangs does not hold for ever. May be shorter than a ttl, which is then simply
   * not renewed. A lock of the fallback is taken away at the same time, or earlier by the provider. @default 600000
   */
  maxHold?: number | undefined

  /**
   * How long the event loop may be blocked before its locks are not renewed any more: an integer of at least 10. A
   * shorter block loses nothing. @default 60000
   */
  stallLimit?: number | undefined

  /**
   * How often a lock is handed on inside this process before it is given up for another process that waits for it: an
   * integer from 1 to 1,000,000. Nothing is given up while no other process waits. @default 64
   */
  handoverLimit?: number | undefined

  /**
   * Whether every lock has a {@link FencedLock.token}, larger than those of all earlier holders of its key, with which a
   * store refuses whoever is late. Costs the nodes several times as much as a lock without. All processes that lock the
   * same keys should have it: clients without it exclude and are excluded, but have no token. @default false
   */
  fencing?: Fencing | undefined

  /**
   * What keeps a node from voting that may have forgotten locks, since it has restarted. It does not vote until `maxTtl`
   * plus drift and a second (and 10 more with `fencing`) have passed since its start; until then it is sent everything, so
   * that it fills up. Every process should have the same.
   *
   * - `'observed'`: a restart that this process has seen, by this instance or another: another server, or another run of it, answers at the address, or
   *   one that has been a replica meanwhile, or one that has started since a quorum of the others first voted
   * - `'strict'`: also one before the first contact, as far as the server's uptime tells
   * - `false`: nothing; then one restart without data, and one more failure, can make two holders
   *
   * A server that withholds INFO is not guarded. Restart one node at a time, and wait so long in between.
   * @default 'observed' for three and more nodes, false for one and two, where it would only stop the service
   */
  restartGuard?: 'observed' | 'strict' | false | undefined

  /** The name of the connections in CLIENT LIST: 1 to 128 visible ASCII characters without spaces. @default undefined */
  clientName?: string | undefined

  /**
   * Who gives a lock while no quorum of nodes can vote. Only a {@link QuorumUnavailableError} leads there: never a lock
   * that is taken, an abort, `close()` or bad input. {@link Lock.degraded} says who has given a lock.
   *
   * - `'throw'`: nobody. The call rejects with that error
   * - `'local'`: this process alone. Other processes are not excluded at all
   * - a {@link LockProvider}: another `Redlock`, a `PostgresLockProvider` of `quorlock/postgres`, or yours. It is yours to
   *   close. One that has only `createLock` and `withLock` tells less: its handles have `attempts` 1 and no `votes`. It is
   *   given the keys without `keyPrefix`: where instances with different prefixes must not exclude each other, give each a
   *   provider of its own, such as a `PostgresLockProvider` with a `namespace`. One whose {@link LockProvider.maxTtl} is less
   *   than that of this instance is a `RangeError`; as the fallback of one call, one that is less than the call's ttl
   *
   * **A fallback gives up the one promise of a lock.** A process that sees the nodes and one that does not are
   * given the same key at the same time, the one by the nodes and the other by the fallback; so are, when the nodes go away
   * or come back, who still holds a key from before and who asks for it after. Nothing here can prevent that. Use it only
   * where something else has the last word over each write, like a row lock in the database or a unique constraint, in
   * every process and whether the handle is degraded or not. Only within one instance is it prevented: it waits with the
   * one layer until what it holds by the other is given back.
   *
   * @default 'throw'
   */
  fallback?: Fallback | undefined

  /**
   * How long a call goes on asking while the states of the nodes say that no quorum can vote, before it falls back: an
   * integer of at least 0. Never more than half of its wait. Has no effect with `fallback: 'throw'`. A fault that a node's
   * state does not show (`OOM`, `NOPERM`) counts from the end of the wait. A node that is `connecting` has said nothing yet.
   * @default 1000
   */
  fallbackAfter?: number | undefined

  /**
   * Whether calls are kept from nodes that could not vote lately: they go straight to the fallback, or reject at once.
   * While it is open, one call at a time is let through as a probe, for one round, once `probeInterval` has passed and
   * the states of the nodes say that a quorum is up again. An instance has one for all of its nodes.
   *
   * By default it is for all calls where the instance has a fallback; where it has none, for those that name a fallback of
   * their own, and it is made with the first of them: the others ask the nodes as ever. One that is given here is for all
   * calls in any case. @default {}
   */
  breaker?: false | BreakerOptions | undefined
}

/** See {@link RedlockOptions.fallback}. */
export type Fallback = 'throw' | 'local' | LockProvider

export interface BreakerOptions {
  /** So many calls in a row without a quorum open it: an integer of at least 1. @default 3 */
  failures?: number | undefined
  /** How long it stays open before a probe, and after each one that fails: an integer of at least 0. @default 1000 */
  probeInterval?: number | undefined
  /** So many probes in a row that a quorum has voted on close it: an integer of at least 1. @default 2 */
  successes?: number | undefined
}

/** One node as an object: with a `url`, or with `host` and `port`, or with a socket `path`. What is given twice is an error. */
export interface NodeOptions {
  /** An address as in {@link RedlockOptions.nodes}; then without `host`, `port` and `path`. */
  url?: string | undefined
  /** Host name, IPv4 or IPv6 address (with or without brackets). */
  host?: string | undefined
  /** TCP port, 1 to 65535. @default 6379 */
  port?: number | undefined
  /** Absolute path of a unix socket, instead of `host` and `port`. */
  path?: string | undefined
  /** ACL user. Needs a password. @default undefined: the default user */
  username?: string | undefined
  /**
   * The password, or a function that gives it. The function is asked at every (re)connect, so that rotated passwords
   * and short-lived tokens work; when it throws, rejects or returns something else, the node is down with code `AUTH`
   * and asked again at the next attempt. It has `connectTimeout` to answer. Never shown anywhere.
   */
  password?: string | (() => string | Promise<string>) | undefined
  /** Database number, 0 to 65535. @default 0 */
  db?: number | undefined
  /** TLS: `true`, or what is special about it. Implied by `rediss://` and `valkeys://`; contradicts `redis://`, `valkey://` and `path`. */
  tls?: true | TlsOptions | undefined
  /** How this node is called in votes, events and statistics: 1 to 128 characters. A name used twice gets `#2`. @default host:port */
  name?: string | undefined
}

export interface TlsOptions {
  /** Certificates of the authorities to trust, PEM. @default the public authorities that Mozilla trusts */
  ca?: string | Uint8Array | readonly (string | Uint8Array)[] | undefined
  /** Client certificate, PEM; with `key`. @default undefined */
  cert?: string | Uint8Array | undefined
  /** Private key of `cert`, PEM, without passphrase. @default undefined */
  key?: string | Uint8Array | undefined
  /** The name that the server's certificate must have. @default the node's host */
  servername?: string | undefined
  /** `false` accepts any certificate: then anybody on the way can read and forge. @default true */
  rejectUnauthorized?: boolean | undefined
}

/** What one call may say, over the options of its instance. */
export interface AcquireOptions {
  /** How long this call may wait in all: an integer from 0 (one round) to 2^31 - 1. @default that of the instance */
  wait?: number | undefined
  /**
   * Rounds after the first: an integer from 0 to 1,000,000. Given without `wait`, it also turns the instance's `wait`
   * off for this call. @default that of the instance
   */
  retryCount?: number | undefined
  /** Delay before the second round: an integer of at least 1. @default that of the instance */
  retryDelay?: number | undefined
  /** The longest delay between rounds: an integer, at least `retryDelay`. @default that of the instance, or retryDelay where that is longer */
  retryDelayMax?: number | undefined
  /**
   * Ends the wait: the call rejects at once with `signal.reason`, and everything already asked for is given back. Has
   * no effect on a lock that is held. @default undefined
   */
  signal?: AbortSignal | undefined
  /** Whether the lock is renewed until it is released, off the JavaScript thread, up to `maxHold`. @default false */
  renew?: boolean | undefined
  /** As {@link RedlockOptions.fallback}, for this call. @default that of the instance */
  fallback?: Fallback | undefined
  /** As {@link RedlockOptions.fallbackAfter}, for this call. @default that of the instance */
  fallbackAfter?: number | undefined
}

/** As {@link AcquireOptions}; only the default of `renew` is another. */
export interface WithLockOptions extends AcquireOptions {
  /** Whether the lock is renewed while the function runs. @default that of the instance, which is true */
  renew?: boolean | undefined
  /**
   * What becomes of the result of a function during which the lock was lost: `'resolve'` with it, the loss being told by
   * the signal, the event and the statistics only; or `'reject'` with a {@link LockLostError} that has it as `result`.
   * A function that releases the lock itself had lost it before when that is answered `'expired'`. What the function
   * throws wins in both. A result that a fallback has rolled back, as one with transactions does, is an error in both.
   * @default 'resolve'
   */
  whenLost?: 'resolve' | 'reject' | undefined
}

export interface CreateLockOptions {
  /** An integer from 10 to `maxTtl`. @default the instance's defaultTtl */
  ttl?: number | undefined
  /** Whether the lock is renewed until it is released. @default false: use `extend` */
  renew?: boolean | undefined
  /** Delay before the second round. @default that of the instance */
  retryDelay?: number | undefined
  /** The longest delay between rounds. @default that of the instance */
  retryDelayMax?: number | undefined
}

export interface ConnectOptions {
  /** How long to wait for a quorum: an integer of at least 0. @default 10000 */
  timeout?: number | undefined
  /** Ends the wait, rejecting with `signal.reason`. @default undefined */
  signal?: AbortSignal | undefined
}

export interface CloseOptions {
  /** How long running sections and other holders may take to release: an integer of at least 0. @default 5000 */
  timeout?: number | undefined
}

/**
 * A lock that was acquired. It is *held* until its validity ends, it is lost or released; being renewed or extended
 * moves the end of its validity. A handle never throws after its release.
 *
 * ```ts
 * await using lock = await redlock.acquire('lock:report', 10_000) // TypeScript >= 5.2
 * ```
 */
export interface Lock extends AsyncDisposable {
  /** The key as it was given; an array is a frozen copy. */
  readonly key: string | readonly string[]
  /** Its value on the nodes: 32 lowercase hexadecimal characters, new for every attempt. */
  readonly id: string
  /** As granted, or as last extended. */
  readonly ttl: number
  /** Rounds it took, at least 1. */
  readonly attempts: number
  /** How the nodes had voted when the lock was granted; nodes that had not answered yet are missing. */
  readonly votes: readonly Vote[]
  /**
   * Whether the fallback has given it, see {@link RedlockOptions.fallback}: then others may hold the key on the nodes.
   */
  readonly degraded: boolean
  /** The fallback's own handle, where `degraded`: what only that has is found there. */
  readonly inner?: Lock | undefined
  /**
   * Whether the lock is held at this moment. Computed when asked, from a clock that runs during suspend: true on the
   * first line after a blocked event loop only if it really is.
   */
  readonly isHeld: boolean
  /** How much longer it is surely held, drift already taken off; may be fractional, 0 when not held. Computed when asked. */
  readonly remaining: number
  /**
   * Aborts with a {@link LockLostError} when the lock is lost: nobody renewed it in time (also when every node hangs),
   * its keys are gone, `maxHold`, `stallLimit` or `close()`. Not by `release()`. Give it to whatever must not go on
   * without the lock. Created on first use.
   */
  readonly signal: AbortSignal
  /**
   * Makes the lock last `ttl` from now. Calls that overlap are carried out one after the other. A smaller ttl shortens
   * only this handle's own validity, never the lease on the nodes.
   *
   * @param ttl an integer from 10 to `maxTtl`. @default this.ttl
   * @throws {LockLostError} when it is not held any more; `reason` says why
   * @throws {TypeError | RangeError} for bad input
   */
  extend(ttl?: number): Promise<void>
  /**
   * Gives the lock back. Never rejects, answers within `nodeTimeout`, and is idempotent: later calls return the same
   * promise.
   *
   * - `'released'`: a quorum answered, and the lock was held until now.
   * - `'expired'`: a quorum answered, but it had not been held any more.
   * - `'unknown'`: fewer answered; the rest is retried in the background until the ttl has passed.
   */
  release(): Promise<'released' | 'expired' | 'unknown'>
  /** `release()` for `await using`. */
  [Symbol.asyncDispose](): Promise<void>
}

/** A lock of an instance with `fencing: true`. */
export interface FencedLock extends Lock {
  /**
   * A positive integer below 2^53, larger than that of every earlier hold of the key by any process with fencing. Give it
   * to the store with each write, and let the store refuse what is smaller than the largest that it has accepted: then
   * a holder that was suspended, and does not know that its lock has passed to another, changes nothing any more.
   *
   * -1 where `degraded`: no fallback knows the nodes' tokens, and every store refuses that one.
   */
  readonly token: number
}

/** The handle's type: with or without a token. */
export type LockOf<Fencing extends boolean> = Fencing extends true ? FencedLock : Lock

/**
 * What code that only needs locks can ask for, whatever provides them: memory, one Redis, or many.
 *
 * As a fallback: where it rejects before it has granted the lock, the call rejects with a {@link QuorumUnavailableError} that
 * has the votes of the nodes, and the provider's error as its `cause`. Errors of this package, an `AbortError`, and a
 * `TypeError` or `RangeError` without a `cause` come out as they are.
 */
export interface LockProvider {
  /**
   * The longest ttl that it takes, where there is one: so a `Redlock` that has it as its fallback finds out at once, and not
   * when it is needed. @default undefined: any
   */
  readonly maxTtl?: number | undefined
  createLock(resource: string | readonly string[], options?: CreateLockOptions): DistributedLock
  withLock<T>(
    key: string | readonly string[],
    ttl: number,
    fn: (lock: Lock) => T | PromiseLike<T>,
    options?: WithLockOptions,
  ): Promise<T>
}

/** One resource that is locked and unlocked many times; one lock at a time. Made by {@link Redlock.createLock}. */
export interface DistributedLock extends AsyncDisposable {
  readonly resource: string | readonly string[]
  /** Whether it is held at this moment; computed when asked. */
  readonly isHeld: boolean
  /**
   * Resolves to true when the lock was acquired, to false when others held it until `timeout` had passed.
   *
   * @param timeout how long to wait; 0 asks once. @default 0
   * @throws {LockContendedError} with `reentrant` true: this object holds the lock already (or is acquiring it), or a
   * surrounding `withLock` does and `timeout` is not 0. Waiting would be waiting for oneself
   * @throws {QuorumUnavailableError} no quorum answered
   * @throws {RedlockClosedError} after `close()` of the provider
   * @throws `options.signal.reason` when aborted
   * @throws {TypeError | RangeError} for bad input
   */
  tryAcquire(timeout?: number, options?: { signal?: AbortSignal | undefined }): Promise<boolean>
  /**
   * Makes the lock last `duration` from now. False when it is not held any more.
   *
   * @param duration an integer from 10 to `maxTtl`. @default the ttl given to createLock
   * @throws {TypeError | RangeError} for bad input
   */
  extend(duration?: number): Promise<boolean>
  /** Gives the lock back; does nothing when there is none. Then `tryAcquire` may be called again. Never rejects. */
  release(): Promise<void>
  /** `release()` for `await using`. */
  [Symbol.asyncDispose](): Promise<void>
}

/** One of an instance with `fencing: true`. */
export interface FencedDistributedLock extends DistributedLock {
  /** {@link FencedLock.token} of the lock that was acquired last, undefined before and after its release. */
  readonly token: number | undefined
}

/**
 * Why a node did not vote:
 *
 * - `TIMEOUT` no answer within `nodeTimeout`; `CONNECT` not connected; `TLS` no trust; `AUTH` wrong or missing password
 * - `NOPERM` the ACL denies a command or key; `OOM` out of memory; `READONLY`, `NOT_MASTER` a replica; `LOADING` starting
 * - `DUPLICATE` the same server as another node; `QUARANTINED` restarted lately; `NOT_A_LOCK` the key holds something
 *   else; `PROTOCOL` an answer that makes no sense
 */
export type VoteCode =
  | 'TIMEOUT'
  | 'CONNECT'
  | 'TLS'
  | 'AUTH'
  | 'NOPERM'
  | 'OOM'
  | 'READONLY'
  | 'LOADING'
  | 'DUPLICATE'
  | 'NOT_MASTER'
  | 'QUARANTINED'
  | 'NOT_A_LOCK'
  | 'PROTOCOL'

/** One node's answer. */
export interface Vote {
  /** The node's name. */
  readonly node: string
  /** `refused`: another holds the key there. `faulted`: the node could not be asked. */
  readonly vote: 'granted' | 'refused' | 'faulted'
  /** Why, when faulted; `NOT_A_LOCK` also when refused by something that is no lock. */
  readonly code?: VoteCode
  /** What the node or the network said; never contains a password. */
  readonly message?: string
  /** Time left to the present holder, where the node told. */
  readonly remaining?: number
}

/** One node's view of a key. */
export interface Inspection {
  node: string
  /** Whether the key is locked there, by anybody. */
  held: boolean
  /** The value of the present lock: compare with {@link Lock.id}. */
  id?: string
  /** Time left on that node. */
  remaining?: number
  /** Why the node could not be asked (then `held` says nothing), or `NOT_A_LOCK` and what the key holds instead. */
  error?: string
}

export interface Stats {
  /** Locks held now, also by the fallback. */
  held: number
  /** Calls that wait for a lock now, also of the fallback. */
  waiting: number
  /** Locks granted so far. */
  acquired: number
  /** Calls that found the key taken, whatever became of them; `tryAcquire` included. */
  contended: number
  /** Calls whose wait ended without the lock. */
  timedOut: number
  /** Calls ended by their signal or by `close()`. */
  aborted: number
  /** Locks lost while held. */
  lost: number
  /** Extensions and renewals that succeeded. */
  extended: number
  /**
   * Renewals that were confirmed when less than a third of the ttl was left: the nodes were slow or away, or this process
   * was. Those that were not confirmed at all are among `lost`.
   */
  renewedLate: number
  /** Locks given back. */
  released: number
  /** Handles that were garbage-collected without release(): each one is a defect of the calling code. */
  unreleased: number
  /** How many nodes must grant. */
  quorum: number
  /** Whether the last call that could choose went to the fallback. What the fallback gives is in `held` and `waiting` alone. */
  degraded: boolean
  /** Missing without one, as before the first call that names a fallback. `probing`: open, and a probe is on its way. */
  breaker?: 'closed' | 'open' | 'probing'
  /** In the order of `nodes`. */
  nodes: NodeStats[]
}

export interface NodeStats {
  name: string
  /**
   * `up`: it answers, and is no replica; that it refuses votes, out of memory or by its ACL, is known only from calls for locks.
   * `quarantined`: it answers, but has restarted lately and does not vote yet, see {@link RedlockOptions.restartGuard}.
   */
  state: 'connecting' | 'up' | 'down' | 'quarantined' | 'closed'
  /** Why it is not up: a {@link VoteCode} and words. */
  error?: string
  /** Round-trip times lately. */
  rtt: { p50: number; p99: number }
}

/** One lock this process holds. */
export interface HeldLock {
  /** Without the prefix. */
  key: string
  id: string
  /** Unix time in ms when it was granted. */
  since: number
  /** Time it is still surely held. */
  remaining: number
  /** Calls of this process that wait for it, of all instances that share its queue. */
  waiting: number
}

/**
 * Why a lock was lost:
 *
 * - `expired` its validity ran out: not renewed, or no quorum confirmed the renewal in time
 * - `gone` the keys are gone or foreign on too many nodes: deleted by hand, evicted, or restarted without data
 * - `maxHold` held by renewal for that long; `stalled` the event loop was blocked for `stallLimit`
 * - `closed` by `close()`; `released` by `release()` (only as the answer to an `extend`)
 */
export type LostReason = 'expired' | 'gone' | 'maxHold' | 'stalled' | 'closed' | 'released'

export interface RedlockEvents {
  /** A lock was lost while it was held; its `signal` has aborted just before. */
  lost: { key: string | readonly string[]; id: string; reason: LostReason }
  /** A node does not vote any more; once per change of state, and once more when it answers again but is quarantined. */
  nodeDown: { node: string; error?: Error & { code?: VoteCode } }
  /** A node is up (again), see {@link NodeStats.state}. */
  nodeUp: { node: string; error?: undefined }
  /** Calls go to the fallback from now on, since `cause`; or to the nodes again. Once per change. */
  degraded: { degraded: boolean; cause?: QuorumUnavailableError | undefined }
}

/**
 * What is published on `node:diagnostics_channel`, by channel. Published only where somebody has subscribed, in the
 * same thread; messages that are left out cost nothing. Metrics are made of them by `quorlock/metrics`.
 *
 * ```ts
 * import { subscribe } from 'node:diagnostics_channel'
 *
 * subscribe('quorlock:acquire', (message) => {
 *   const { key, outcome, waited } = message as DiagnosticsMessages['quorlock:acquire']
 *   log(`${key}: ${outcome} after ${waited} ms`)
 * })
 * ```
 *
 * Messages of `acquire`, `extend` and `release` come in the caller's async context, before the caller goes on. What a
 * subscriber throws is an uncaught exception: so Node.js does it.
 */
export interface DiagnosticsMessages {
  'quorlock:acquire': AcquireMessage
  'quorlock:extend': ExtendMessage
  'quorlock:release': ReleaseMessage
  'quorlock:lost': LostMessage
  'quorlock:node': NodeMessage
}

/** A call for a lock has ended: of `acquire`, `tryAcquire`, `withLock` or a {@link DistributedLock}. Not for bad input. */
export interface AcquireMessage {
  redlock: Redlock<boolean>
  /** As it was given; an array is a frozen copy. */
  key: string | readonly string[]
  ttl: number
  /**
   * - `acquired` the lock was granted
   * - `contended` others held it until the wait ended; also where `tryAcquire` gives `null`, and for a reentrant call
   * - `unavailable` too few nodes could vote
   * - `aborted` by the call's signal
   * - `closed` by `close()`, or called after it
   */
  outcome: 'acquired' | 'contended' | 'unavailable' | 'aborted' | 'closed'
  /** From the call to its end. */
  waited: number
  /** Rounds that were tried; 1 where `tryAcquire` gives `null`; undefined where the call was aborted or closed, since nobody told. */
  attempts: number | undefined
  /** Granted by a fallback instead of a quorum. */
  degraded: boolean
}

/** A call of `lock.extend()` has ended. Renewals that happen by themselves are not published: they pass no JavaScript. */
export interface ExtendMessage {
  redlock: Redlock<boolean>
  key: string | readonly string[]
  id: string
  /** As asked for. */
  ttl: number
  /** `extended`, or why it was not: the `reason` of the {@link LockLostError}. */
  outcome: 'extended' | LostReason
  /** How much of the validity before the call was left when it ended, 0 when none. Little of it left is a warning. */
  left: number
}

/** `lock.release()` has been answered, for the first call of each handle; by `withLock` and `close()` also. */
export interface ReleaseMessage {
  redlock: Redlock<boolean>
  key: string | readonly string[]
  id: string
  /** From the grant to the call of `release()`, also when the lock was lost before; undefined when nobody listened to releases at its grant. */
  held: number | undefined
  outcome: 'released' | 'expired' | 'unknown'
}

/** As the event `lost`. */
export interface LostMessage {
  redlock: Redlock<boolean>
  key: string | readonly string[]
  id: string
  reason: LostReason
}

/** The state of a node has changed: as the events `nodeUp` and `nodeDown`. */
export interface NodeMessage {
  redlock: Redlock<boolean>
  /** The node's name. */
  node: string
  state: 'up' | 'down' | 'quarantined'
  /** Why it is not up; never contains a password. */
  error: (Error & { code?: VoteCode }) | undefined
}

/** What errors of this package carry; for tests that make their own. */
export interface LockErrorDetails {
  key?: string | readonly string[] | undefined
  attempts?: number | undefined
  retryAfter?: number | undefined
  votes?: readonly Vote[] | undefined
  cause?: unknown
}

/**
 * The class of all errors that say something about a lock. `instanceof` works for the whole family, from CommonJS and
 * ESM alike and across copies of this package.
 */
export class LockError extends Error {
  constructor(message: string, details?: LockErrorDetails)
  /** `ERR_LOCK_CONTENDED`, `ERR_QUORUM_UNAVAILABLE`, `ERR_LOCK_LOST` or `ERR_REDLOCK_CLOSED` by class. */
  readonly code: string
  /** As it was given; missing where no key was involved (`connect`). */
  readonly key: string | readonly string[] | undefined
  /** Rounds that were tried. */
  readonly attempts: number
  /** When trying again makes sense, from what the present holders have left; missing when unknown. */
  readonly retryAfter?: number
  /** How the nodes voted in the last round; empty where none was held. */
  readonly votes: readonly Vote[]
}

/** Others held it until the wait ended, or the wait was too short for enough answers: try later, or skip. */
export class LockContendedError extends LockError {
  constructor(message: string, details?: LockErrorDetails & { reentrant?: boolean | undefined })
  readonly code: 'ERR_LOCK_CONTENDED'
  /** True when the present holder is the caller itself: a deadlock, to be fixed in the code. */
  readonly reentrant?: boolean
}

/** Too many nodes could not vote: an alert for whoever runs them. */
export class QuorumUnavailableError extends LockError {
  readonly code: 'ERR_QUORUM_UNAVAILABLE'
}

/** We held it and can no longer prove it: stop working. Also the `reason` of a lock's signal. */
export class LockLostError extends LockError {
  constructor(message: string, details?: LockErrorDetails & { reason?: LostReason | undefined; result?: unknown })
  readonly code: 'ERR_LOCK_LOST'
  readonly reason: LostReason
  /** What the function of a `withLock` with `whenLost: 'reject'` returned; exists only then. */
  readonly result?: unknown
}

/** Used after `drain()` or `close()`: fix the order of the shutdown. */
export class RedlockClosedError extends LockError {
  readonly code: 'ERR_REDLOCK_CLOSED'
}

/** True for every error of this package, whichever copy of it made the error. Narrows to the four classes by `code`. */
export function isLockError(
  error: unknown,
): error is LockContendedError | QuorumUnavailableError | LockLostError | RedlockClosedError
