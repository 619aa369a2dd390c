'use strict'

// A native module in JavaScript: the private contract without nodes. Tests answer each call themselves, so that every
// order of records can be tried. Must be required before anything that loads the real one.

const record = require('../../../js/record')

const native = require('../../../js/native')

const engines = []
const queue = []
let wake = null
let holds = 0

class Engine {
  constructor(config) {
    this.config = config
    this.id = engines.push(this)
    this.asked = [] // every call that arrived, in order: [method, ...arguments]
    this.flushes = 0
    this.left = new Map() // validity by slot
    this.details = new Map()
    this.notices = []
    this.free = []
    this.next = 0
    this.isClosed = false
  }

  acquire(key, ttl, flags) {
    return this.#ask('acquire', key, ttl, flags)
  }

  acquireWaiting(key, ttl, flags, wait, retryCount, retryDelay, retryDelayMax) {
    return this.#ask('acquireWaiting', key, ttl, flags, { wait, retryCount, retryDelay, retryDelayMax })
  }

  acquireWith(keys, ttl, flags, retry) {
    return this.#ask('acquireWith', keys, ttl, flags, retry)
  }

  connect(timeout) {
    return this.#ask('connect', timeout)
  }

  inspect(key) {
    return this.#ask('inspect', key)
  }

  cancel(slot) {
    this.asked.push(['cancel', slot])
  }

  extend(slot, ttl) {
    this.asked.push(['extend', slot, ttl])
  }

  release(slot) {
    this.asked.push(['release', slot])
  }

  remaining(slot) {
    return this.left.get(slot) ?? 0
  }

  takeDetail(slot) {
    const detail = this.details.get(slot)
    this.details.delete(slot)
    if (detail instanceof Error) throw detail
    return detail ?? null
  }

  takeNotice() {
    return this.notices.shift() ?? null
  }

  credential(...answer) {
    this.asked.push(['credential', ...answer])
  }

  stats() {
    const nodes = this.config.nodes.map(() => ({ state: 'up', p50: 0.1, p99: 0.2 }))
    const zero = { held: 0, waiting: 0, acquired: 0, contended: 0, timedOut: 0, aborted: 0 }
    return { ...zero, lost: 0, extended: 0, released: 0, nodes }
  }

  locks() {
    return []
  }

  flush() {
    this.flushes += 1
  }

  /** Whether all nodes have answered the releases: after so many looks. */
  isQuiet() {
    this.looks = (this.looks ?? 0) - 1
    return this.looks < 0
  }

  close() {
    this.isClosed = true
  }

  shutdown(ms) {
    this.asked.push(['shutdown', ms])
  }

  // -- what a test answers; nothing arrives before deliver()

  grant(slot, { ttl = 5000, attempts = 1, votes = [0x11, 0], id = [1, 2, 3, -1], left = ttl, token } = {}) {
    this.left.set(slot, left)
    this.#put(slot, record.GRANTED, attempts, votes, id, ttl, token)
  }

  answer(slot, kind, { code = 0, ttl = 0, detail } = {}) {
    if (detail !== undefined) this.details.set(slot, detail)
    if (FINAL.includes(kind)) this.free.push(slot)
    this.#put(slot, kind, code, [0, 0], [0, 0, 0, 0], ttl)
  }

  notify(notice) {
    this.notices.push(notice)
    this.#put(0, record.NOTICE, 0, [0, 0], [0, 0, 0, 0], 0)
  }

  count(method) {
    return this.asked.filter(([name]) => name === method).length
  }

  #ask(...call) {
    this.asked.push(call)
    return this.free.pop() ?? this.next++
  }

  #put(slot, kind, code, votes, id, ttl, token = [0, 0]) {
    queue.push([this.id, slot, kind, code, ...votes, ...id, ttl, ...token])
  }
}

const FINAL = [
  record.CONTENDED,
  record.UNAVAILABLE,
  record.CANCELLED,
  record.RELEASED,
  record.CONNECTED,
  record.CONNECT_FAILED,
  record.INSPECTED,
]

const fake = {
  Engine,
  open(callback) {
    wake = callback
    return 0
  },
  watches: () => false,
  drain(_mailbox, buffer) {
    const batch = queue.splice(0, Math.floor(buffer.length / record.WORDS))
    for (const [i, words] of batch.entries()) buffer.set(words, i * record.WORDS)
    return batch.length
  },
  acquire: (id, ...call) => engines[id - 1].acquire(...call),
  acquireWaiting: (id, ...call) => engines[id - 1].acquireWaiting(...call),
  release: (id, slot) => engines[id - 1].release(slot),
  remaining: (id, slot) => engines[id - 1].remaining(slot),
  flush: (id) => engines[id - 1].flush(),
  hold() {
    holds += 1
  },
  unhold() {
    holds -= 1
  },
}

native.loadNative = () => fake

/** One wake-up for all that was answered since the last; resolves when the microtasks after it are through. */
async function deliver() {
  wake()
  await settled()
}

/** After the microtasks that are due now, flush and idle check included. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

const { Redlock } = require('../../../js/redlock')

const THREE = ['redis://a', 'redis://b', 'redis://c']

/** A Redlock over three nodes that do not exist, and its engine. */
function open(options = {}) {
  const redlock = new Redlock({ nodes: THREE, ...options })
  return { redlock, engine: engines.at(-1) }
}

/** A lock in slot 0 of a new instance. */
async function held({ key = 'key', ttl = 5000, ...options } = {}) {
  const opened = open(options)
  const asked = opened.redlock.acquire(key, ttl)
  opened.engine.grant(0, { ttl })
  await deliver()
  return { ...opened, lock: await asked }
}

/** A promise whose rejection is looked at later. */
function quiet(promise) {
  promise.catch(() => {})
  return promise
}

module.exports = { open, held, quiet, deliver, settled, record, holds: () => holds }
