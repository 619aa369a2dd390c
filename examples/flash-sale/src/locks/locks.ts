// The instances of Redlock, and what the keys are for.

/** The name of the instance whose locks have tokens; what is not written with them does without, which is cheaper. */
export const FENCED = 'fenced'

export type LockKind = 'inventory' | 'orderCreation' | 'custom'

export function kindOf(key: string): LockKind {
  if (key.startsWith('inventory_lock:')) return 'inventory'
  if (key.startsWith('lock:order_creation_')) return 'orderCreation'
  return 'custom'
}
