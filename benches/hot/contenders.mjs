// Who takes part when everybody wants one key. Peers have their own default delays between attempts and as many
// attempts as it takes, so that nobody is turned away.

import { contenders as all, OURS } from '../contenders.mjs'

export const FOREIGN = 'foreign'
export const IN_PROCESS = 'async-mutex'
export const PING = 'ping'
export { OURS }

const known = (id) => all.find((contender) => contender.id === id)

export const contenders = [
  known(OURS),
  known('quorlock-with-lock'),
  known('redlock'),
  known('redis-semaphore'),
  known('redlock-universal'),
  { id: IN_PROCESS, label: 'async-mutex: one process, no Redis', kind: 'in-process' },
  { id: PING, label: 'one PING', kind: 'ping' },
]

/** What each was told beyond its defaults; printed beside the figures. */
export const waiting = [
  'quorlock: `wait: 60000`',
  'redlock 5 beta: `retryCount: -1` (no limit), its default delay of 200 ms with 100 ms of jitter',
  'redis-semaphore: `acquireTimeout` of an hour, `refreshInterval: 0`, its default interval of 10 ms',
  'redlock-universal: `retryAttempts: 1000000`, its default delay of 200 ms',
]

export function contenderUrl(id) {
  return new URL(`./contenders/${id}.mjs`, import.meta.url).href
}
