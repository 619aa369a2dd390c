/// <reference types="node" />

// `quorlock/nestjs/terminus`: a health indicator for @nestjs/terminus 11 and 12, which is a peer.

import type { HealthIndicatorResult } from '@nestjs/terminus' with { 'resolution-mode': 'import' }
import type { Redlock } from '../../index.js'

export interface RedlockHealthOptions {
  /** Which instance of the application is looked at. @default 'default' */
  name?: string | undefined
  /** An instance that is none of the application's RedlockModule; then `name` says nothing. @default undefined */
  redlock?: Pick<Redlock<boolean>, 'inspect' | 'stats'> | undefined
  /**
   * The key that every node is asked for, and that nobody needs to have: one that the nodes' ACL lets us read. Behind
   * the `keyPrefix`, like all keys. @default 'quorlock-health'
   */
  probe?: string | undefined
}

/**
 * How many nodes answer, and are no replicas and not in quarantine. Each one is read from once, which takes `nodeTimeout` at
 * most; nothing is written. So a node counts that refuses every vote, being out of memory (`OOM`) or by its ACL (`NOPERM`): calls
 * for locks tell that, as `QuorumUnavailableError`.
 *
 * - all of them: up
 * - not all, but a quorum: degraded, for which HTTP still says 200; with terminus 11, which has no such state, up, with
 *   `degraded: true` in the details
 * - no quorum, or the application is closing: down, 503
 *
 * The details have `voting`, `quorum`, and `nodes`: each node's name and `up`, `down` or `quarantined`.
 *
 * ```ts
 * @Module({ imports: [TerminusModule], providers: [RedlockHealthIndicator], controllers: [HealthController] })
 *
 * health.check([() => redlock.isHealthy('redlock')])
 * ```
 */
export class RedlockHealthIndicator {
  // biome-ignore lint/suspicious/noExplicitAny: what Nest injects
  constructor(...injected: any[])
  /** @param key under which the result stands. @default 'redlock' */
  isHealthy<Key extends string = 'redlock'>(
    key?: Key,
    options?: RedlockHealthOptions,
  ): Promise<HealthIndicatorResult<Key>>
}
