// Who takes part when everybody wants one key. Peers have their own default delays between attempts and as many
// attempts as it takes, so that nobody is turned away.

import { contenders as all, OURS } from '../contenders.mjs'

export const IN_PROCESS = 'async-mutex'
export const FOREIGN = 'quorlock-after-redlock'
export const PING = 'ping-ioredis'
export const PING_RESTED = 'ping-ioredis-rested'
export { OURS }

const known = (id) => all.find((contender) => contender.id === id)

export const contenders = [
  known(OURS),
  known('quorlock-with-lock'),
  known('redlock'),
  known('redis-semaphore'),
  known('redlock-universal'),
  { id: IN_PROCESS, label: 'async-mutex: one process, no Redis', kind: 'in-process' },
  { id: 'ping', label: 'one PING', kind: 'ping' },
]

/** `crew` names whose processes wait and `holder` whose process holds, where they are another contender's. */
export const handoverContenders = [
  known(OURS),
  { id: FOREIGN, label: 'quorlock, the holder is redlock 5 beta', kind: 'ours', crew: OURS, holder: 'redlock' },
  known('redlock'),
  known('redis-semaphore'),
  known('redlock-universal'),
  { id: 'ping-socket', label: 'one PING, bare socket', kind: 'ping', crew: 'ping', client: 'socket' },
  { id: PING, label: 'one PING, ioredis', kind: 'ping', crew: 'ping', client: 'ioredis' },
  {
    id: 'ping-socket-rested',
    label: 'one PING after a pause, bare socket',
    kind: 'ping',
    crew: 'ping',
    client: 'socket',
    rested: true,
  },
  {
    id: PING_RESTED,
    label: 'one PING after a pause, ioredis',
    kind: 'ping',
    crew: 'ping',
    client: 'ioredis',
    rested: true,
  },
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
