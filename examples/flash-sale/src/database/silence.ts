// Ends a connection that says nothing while something has been asked. Postgres ends a statement, and a pause in a transaction,
// after 5 s; who is silent for longer is not at work but gone: a machine that has vanished, a failover that told nobody.
// Nothing else would notice for a quarter of an hour: TCP repeats what is not acknowledged, and keepalive does not ask
// meanwhile. Whatever transaction was open Postgres rolls back, as it does with every connection that ends.

import { Socket } from 'node:net'

/** Longer than Postgres takes for anything. */
export const SILENCE_LIMIT_MS = 8000

/**
 * What pg's `stream` makes a connection of. With TLS pg puts a socket around this one, and what comes through that counts
 * here, too. An idle connection is silent as well: whoever keeps one ends it earlier.
 */
export function socketWithLimit(limitMs = SILENCE_LIMIT_MS) {
  const socket = new Socket()
  const end = () => socket.destroy(new Error(`Connection terminated: Postgres has said nothing for ${limitMs} ms`))
  return socket.setTimeout(limitMs, end)
}
