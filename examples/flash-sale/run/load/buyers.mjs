// The crowd. Each buyer wants one item, and asks until the answer is final: bought, or sold out. A refusal says "come
// again" by its Retry-After, and is taken at its word; one without is final. Some send everything twice, as a client does that is not sure whether it was heard.

import { setTimeout as sleep } from 'node:timers/promises'

const TWICE_EVERY = 10 // one buyer in so many
const RETRY_LIMIT_S = 6
const REFUSALS = new Set([409, 429, 503])

/**
 * Resolves when every buyer has a final answer, or `signal` has aborted. Each outcome is `{ buyer, ended, orderIds }`,
 * `ended` one of 'bought', 'sold out', 'gave up', or what was wrong.
 */
export function sendBuyers({ buyers, variantId, client, journal, signal }) {
  const first = new Map() // buyer → its order
  const outcome = async (buyer) => {
    const copies = buyer % TWICE_EVERY === 0 ? 2 : 1
    const ends = await Promise.all(Array.from({ length: copies }, () => buy(buyer)))
    const orderIds = ends.flatMap(({ orderId }) => orderId ?? [])
    return { buyer, ended: summary(ends), orderIds }
  }

  async function buy(buyer) {
    const cameAt = journal.now()
    const body = { userId: `buyer-${buyer}`, variantId, quantity: 1 }
    for (let attempt = 0; !signal.aborted; attempt++) {
      const sentAt = journal.now()
      let answer
      try {
        answer = await client.post('/api/v1/orders', body, { 'idempotency-key': `sale-${buyer}` })
      } catch (error) {
        journal.answer(0, error.code ?? error.message, journal.now() - sentAt)
        return { ended: `no answer: ${error.message}` }
      }
      const { status, body: said, retryAfter } = answer
      journal.answer(status, said.code, journal.now() - sentAt)
      if (status === 201 || status === 200) {
        if (!first.has(buyer)) {
          first.set(buyer, said.id)
          journal.sale(said.id, buyer, journal.now() - cameAt)
        }
        return { ended: 'bought', orderId: said.id }
      }
      if (status === 409 && said.code === 'SOLD_OUT') return { ended: 'sold out' }
      const again = REFUSALS.has(status) && retryAfter > 0
      if (!again) return { ended: `answer ${status}: ${JSON.stringify(said)}` }
      await pause(retryAfter, attempt, signal)
    }
    return { ended: 'gave up' }
  }

  return Promise.all(Array.from({ length: buyers }, (_, buyer) => outcome(buyer)))
}

/** As the server says at first, later longer; spread, so that those who were refused together do not return together. */
async function pause(retryAfter, attempt, signal) {
  const seconds = Math.min(RETRY_LIMIT_S, retryAfter * 1.3 ** attempt)
  await sleep(seconds * 1000 * (0.5 + Math.random()), undefined, { signal }).catch(() => {})
}

/** Of a request that was sent twice, one copy may be told "sold out" only if the other was, too. */
function summary(ends) {
  const kinds = new Set(ends.map(({ ended }) => ended))
  if (kinds.size === 1) return ends[0].ended
  return `one copy: ${ends[0].ended}; the other: ${ends[1].ended}`
}
