import { setTimeout as sleep } from 'node:timers/promises'

/** Settles as `promise` does, or rejects when that takes longer. Whatever comes later is nobody's any more. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  const settled = new AbortController()
  promise.catch(() => {}) // also when nobody waits for it any more
  const late = sleep(ms, undefined, { signal: settled.signal }).then(() => {
    throw new Error(`${what} took longer than ${ms} ms`)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    late.catch(() => {})
    settled.abort()
  }
}
