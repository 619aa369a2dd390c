'use strict'

// The crowd of the load run takes answers as the service means them: what has a Retry-After is asked for again, anything
// else is final.

const fs = require('node:fs')
const { execFileSync } = require('node:child_process')
const { test } = require('node:test')
const assert = require('node:assert/strict')
const { load } = require('./shop')

const CROWD = 1500

/** One buyer, who sends everything once, and is given `answers` one after another. */
async function buy(answers) {
  const { sendBuyers } = await load('load/buyers.mjs')
  const { Journal } = await load('load/journal.mjs')
  const journal = new Journal()
  const left = [...answers]
  const client = {
    async post() {
      if (left.length === 0) throw new Error('asked once more')
      const [status, code, retryAfter = Number.NaN] = left.shift()
      return { status, body: status < 300 ? { id: code } : { code }, retryAfter }
    },
  }
  const outcomes = await sendBuyers({ buyers: 2, variantId: 'v', client, journal, signal: AbortSignal.timeout(60_000) })
  assert.equal(left.length, 0)
  return outcomes.map(({ ended }) => ended).at(-1)
}

/** The first buyer sends everything twice, and is served at once. */
const first = [
  [201, 'a'],
  [200, 'a'],
]
/** Of the two buyers all ask at once: the second's first answer comes third. */
const second = (...answers) => buy([...first, ...answers])

test('a refusal with Retry-After is asked for again, whatever its code', async () => {
  const soon = 0.001
  for (const refusal of [
    [409, 'ERR_LOCK_CONTENDED', soon],
    [409, 'CAME_LATE', soon],
    [429, 'BUSY', soon],
    [503, 'DATABASE_UNAVAILABLE', soon],
  ]) {
    assert.equal(await second(refusal, [201, 'b']), 'bought')
  }
})

test('a refusal without Retry-After is final', async () => {
  assert.equal(await second([409, 'SOLD_OUT']), 'sold out')
  assert.match(await second([409, 'IDEMPOTENCY_KEY_USED']), /^answer 409: .*IDEMPOTENCY_KEY_USED/)
  assert.match(await second([409, 'ERR_LOCK_CONTENDED']), /^answer 409: /)
  assert.match(await second([503, 'ERR_QUORUM_UNAVAILABLE']), /^answer 503: /)
})

test('all buyers may come at once while the one address is busy: nobody is turned away by the kernel', async (t) => {
  const { startProxy } = await load('proxy.mjs')
  const proxy = await startProxy(() => [])
  t.after(() => proxy.close())
  const most = Number(fs.readFileSync('/proc/sys/net/core/somaxconn', 'utf8'))
  if (most < CROWD) return t.skip(`this kernel keeps ${most} connections at most`)
  const connect = `
    const { connect } = require('node:net')
    let open = 0
    for (let i = 0; i < ${CROWD}; i++) {
      connect(${new URL(proxy.url).port}, '127.0.0.1', () => ++open === ${CROWD} && process.exit(0)).on('error', () => {})
    }`
  // Nothing is accepted meanwhile: this process waits here.
  execFileSync(process.execPath, ['-e', connect], { timeout: 20_000 })
})
