/// <reference types="node" />

// The manual of `quorlock/testing`. All times are in milliseconds. Bad input is a `TypeError` or `RangeError` as everywhere
// in this package: the constructor throws it, methods that return promises reject with it.

import { Redlock, type RedlockOptions } from '../index.js'

/**
 * A `Redlock` for unit tests: the real engine, on nodes in memory that fail when the test says so, and by a clock that the
 * test moves by hand. Time stands still between two calls of {@link TestRedlock.advance}, however long the test takes; and
 * the delays that a Redlock draws at random are the same in each run. Nothing is sent anywhere, and no thread is started.
 *
 * ```ts
 * const redlock = new TestRedlock()
 * const service = new OrderService(redlock)
 * const order = service.place('book')
 * await redlock.loseLock('lock:product:book')
 * await assert.rejects(order, LockLostError)
 * ```
 *
 * Only the locks' time is moved: timers of the code under test go by their own. A pending call does not keep the process
 * alive, since nothing but the test can end it. It works with fake timers of test runners switched on.
 */
export class TestRedlock<Fencing extends boolean = false> extends Redlock<Fencing> {
  constructor(options?: TestRedlockOptions<Fencing>)

  /**
   * Lets time pass: what is due happens in its order, each at its own moment. Renewals run, locks without renewal are lost,
   * waits end, quarantines are over. Resolves when all of it has been done, and whatever code was waiting for it has run as
   * far as it can without waiting for something else, also where that made new calls. The event loop gets a turn before, and
   * none in between or after: a promise that was rejected meanwhile can be handled next, as in
   * `await redlock.advance(5000); await assert.rejects(order)`.
   *
   * Calls of this and the methods below are carried out one after the other. All of them first let the calls in progress
   * come to rest, as {@link TestRedlock.settled} does.
   *
   * @param ms an integer from 0 to 2^31 - 1
   * @throws {Error} when the code under test goes on without end at one moment, such as a loop that never waits
   */
  advance(ms: number): Promise<void>

  /**
   * Resolves when the calls in progress have come to rest: they are settled, or wait for time to pass or for somebody else.
   * Code that waits for something of its own, such as a socket or a timer, is not waited for.
   */
  settled(): Promise<void>

  /**
   * Deletes the key on all nodes and has its holder find out at once: the lock's signal aborts with a `LockLostError` whose
   * reason is `gone`, the event `lost` is emitted, and the key is free for others. The holder may be this instance or one
   * that shares its nodes.
   *
   * As in production, a holder that reaches no quorum cannot find out: while so many nodes are down, its lock is lost
   * when its validity ends. A lock that a fallback has given does not depend on the nodes: it is lost in the same way, and
   * given back to the fallback.
   *
   * @param key as it was given to the instance that this is called on, without the prefix; of a lock of several keys any one
   * @throws {Error} when nobody holds it; the message names what is held
   */
  loseLock(key: string): Promise<void>

  /**
   * From now on the first `count` nodes are down, and all others are up; 0 ends it. Nodes that are down answer nobody and
   * keep their keys, which expire as time passes. When too few are left, calls with `wait: 0` reject with a
   * `QuorumUnavailableError` at once, others when their wait is over, and renewals fail. Events `nodeDown` and `nodeUp` follow.
   *
   * @param count an integer from 0 to the number of nodes
   */
  failNodes(count: number): Promise<void>

  /**
   * The node restarts without its data, and is up. With three and more nodes it is kept from voting for a while, as
   * `restartGuard` says. What it forgets is brought back to it by renewals.
   *
   * @param index which node, from 0: as in `stats().nodes`
   */
  restartNode(index: number): Promise<void>

  /**
   * Between two tests that share an instance: all nodes are up, calls that wait reject with a `RedlockClosedError`, and
   * locks that are held are taken away as by `close()` (`lost` with the reason `closed`), those that a fallback has given
   * too; then the nodes are asked again, and the breaker is closed. So it is for all instances that share its nodes.
   * Listeners, counters, tokens, time and quarantines stay as they are.
   */
  reset(): Promise<void>

  /**
   * As that of a `Redlock`, by the time of this instance: with a `timeout`, sections that run have so long until they are
   * over, which `advance` lets pass. Without one they have none, so that a test that forgot a lock does not hang.
   */
  close(options?: { timeout?: number | undefined }): Promise<void>
}

/** Those of a `Redlock`, except that `nodes` is a number. */
export interface TestRedlockOptions<Fencing extends boolean = boolean> extends Omit<RedlockOptions<Fencing>, 'nodes'> {
  /** How many nodes there are: an integer from 1 to 15. They are called `node-0`, `node-1` and so on. @default 3 */
  nodes?: number | undefined
  /**
   * Another instance, whose nodes and time this one shares: as two services that lock the same keys. They do not share
   * waiters, whatever their options. Without `nodes`. @default undefined
   */
  with?: TestRedlock<boolean> | undefined
}
