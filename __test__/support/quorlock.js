'use strict'

// The package under test, as its users load it, and an instance that a test cannot forget to close.

const api = require('../..')
const { until } = require('./until')

/** Set, every instance has fencing, so that whatever holds without holds with it. */
const isFenced = process.env.QUORLOCK_TEST_FENCING === '1'
const COMMON = isFenced ? { fencing: true } : {}

/** A Redlock over `nodes`, closed after test `t`, whatever is still held. */
function open(t, nodes, options = {}) {
  const redlock = new api.Redlock({ nodes, ...COMMON, ...options })
  t.after(() => redlock.close({ timeout: 0 }))
  return redlock
}

/** As open(), and connected to every node, so that a test measures its fault and not the first connection. */
async function connected(t, nodes, options = {}) {
  const redlock = open(t, nodes, options)
  await redlock.connect()
  return redlock
}

/** Services with the same settings share their waiters; this one is to the others as one of another process. */
const elsewhere = Object.freeze({ handoverLimit: 63 })

/**
 * As connected(), and every single node is up and has been announced. A quorum is enough for a lock, so a test that looks
 * at the keys on all nodes has to begin with all of them; and one that listens to changes must not hear the first.
 */
async function allUp(t, nodes, options = {}) {
  const redlock = open(t, nodes, options)
  const announced = new Set()
  const note = ({ node }) => announced.add(node)
  redlock.on('nodeUp', note)
  await redlock.connect()
  const isUp = ({ name, state }) => announced.has(name) && state === 'up'
  await until(() => redlock.stats().nodes.every(isUp), { what: 'every node is announced up' })
  redlock.off('nodeUp', note)
  return redlock
}

const EXCEPT_FENCES = `
  local left = {}
  for _, key in ipairs(redis.call('KEYS', ARGV[1])) do
    if not string.find(key, ':quorlock:fence$') or redis.call('PTTL', key) < 0 then left[#left + 1] = key end
  end
  return left
`

/** The keys of this pattern that a server has. With fencing without the fences, which stay on purpose, but expire. */
const keysLeft = (server, pattern) =>
  isFenced ? server.command('EVAL', EXCEPT_FENCES, 0, pattern) : server.command('KEYS', pattern)

let keys = 0
/** A key no other test uses. */
const uniqueKey = (name = 'key') => `${name}:${process.pid}:${++keys}`

module.exports = { ...api, open, connected, allUp, elsewhere, isFenced, keysLeft, uniqueKey }
