// Who takes part, in the order of the tables. `kind` says on which side of a ratio a row stands.

export const OURS = 'quorlock'
export const FLOOR = 'floor'

export const contenders = [
  { id: OURS, label: 'quorlock', kind: 'ours' },
  { id: 'quorlock-with-lock', label: 'quorlock withLock', kind: 'ours' },
  { id: 'redlock', label: 'redlock 5 beta', kind: 'peer' },
  { id: 'redlock-auto-pipelining', label: 'redlock 5 beta, auto-pipelining', kind: 'peer' },
  { id: 'redis-semaphore', label: 'redis-semaphore', kind: 'peer' },
  { id: 'redis-semaphore-auto-pipelining', label: 'redis-semaphore, auto-pipelining', kind: 'peer' },
  { id: 'redlock-universal', label: 'redlock-universal', kind: 'peer' },
  { id: 'redlock-universal-auto-pipelining', label: 'redlock-universal, auto-pipelining', kind: 'peer' },
  { id: FLOOR, label: 'floor: bare commands', kind: 'floor' },
]

export function contenderUrl({ id }) {
  return new URL(`./contenders/${id}.mjs`, import.meta.url).href
}
