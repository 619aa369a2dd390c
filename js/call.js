'use strict'

// One question that waits for its answer, and the abort signal that may end the wait.

const ACQUIRE = 0 // contention is an error
const TRY = 1 // contention is null
const CONNECT = 2
const INSPECT = 3

class Call {
  constructor(kind, key, ttl, resolve, reject) {
    this.kind = kind
    this.key = key
    this.ttl = ttl
    this.resolve = resolve
    this.reject = reject
    this.gone = false // settled without native code: aborted or closed; its record only frees the slot
    this.signal = null
  }
}

// A signal may be given to thousands of calls (one per service, aborted at shutdown): one listener serves them all.
const listeners = new WeakMap()

function listen(signal, call, onAbort) {
  call.signal = signal
  let waiting = listeners.get(signal)
  if (waiting === undefined) {
    waiting = new Map()
    waiting.heard = () => {
      for (const hear of [...waiting.values()]) hear()
    }
    listeners.set(signal, waiting)
    signal.addEventListener('abort', waiting.heard, { once: true })
  }
  waiting.set(call, onAbort)
}

function unlisten(call) {
  const { signal } = call
  if (signal === null) return
  call.signal = null
  const waiting = listeners.get(signal)
  waiting.delete(call)
  if (waiting.size > 0) return
  listeners.delete(signal)
  signal.removeEventListener('abort', waiting.heard)
}

/** The very object the user aborted with; polyfills may have none. */
const reasonOf = (signal) =>
  signal.reason === undefined ? new DOMException('This operation was aborted', 'AbortError') : signal.reason

module.exports = { ACQUIRE, TRY, CONNECT, INSPECT, Call, listen, unlisten, reasonOf }
