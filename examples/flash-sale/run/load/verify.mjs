// What must hold after the sale, whatever went wrong during it. Each check is `{ name, ok, found }`.

import { FAULTS } from './faults.mjs'

const ANSWERS = new Set([200, 201, 409, 429, 503])

/** `orders` as the database has them before the restart, `after` as the restarted service gives them. */
export function verify({ items, buyers, outcomes, journal, orders, movements, confirmations, stock, after }) {
  const checks = []
  const check = (name, ok, found) => checks.push({ name, ok, found: String(found) })
  const live = orders.filter(({ status }) => status !== 'cancelled')
  const sold = live.reduce((sum, { quantity }) => sum + quantity, 0)
  const expected = Math.min(items, buyers)

  check(`exactly ${expected} sold`, sold === expected, sold)
  check('what is left in stock', stock === items - sold, stock)

  const lowest = Math.min(...movements.map(({ stockAfter }) => stockAfter), ...journal.stock.map((seen) => seen.stock))
  check('stock never below zero', lowest >= 0, `lowest ${lowest}`)

  const degraded = orders.filter((order) => order.degraded).length
  const unfenced = movements.filter(({ token }) => token === null).length
  const parts = `${degraded}; ${unfenced} changes of stock without a token`
  check('some sold by the fallback', degraded > 0 && unfenced > 0, parts)

  const users = new Set(orders.map(({ userId }) => userId))
  const purchases = movements.filter(({ kind }) => kind === 'purchase')
  const bought = new Set(purchases.map(({ orderId }) => orderId))
  const counts = {
    'orders of one buyer': orders.length - users.size,
    'purchases of one order': purchases.length - bought.size,
    'orders without a purchase': orders.filter(({ id }) => !bought.has(id)).length,
  }
  const twice = Object.entries(counts).filter(([, count]) => count !== 0)
  check('no order twice', twice.length === 0, twice.map(([what, count]) => `${count} ${what}`).join(', ') || 'none')

  check('each change follows from the one before', isChain(movements), isChain(movements) ? 'yes' : 'no')
  check('tokens never fall', isRising(movements), isRising(movements) ? 'yes' : 'no')

  const accepted = new Set(outcomes.flatMap(({ orderIds }) => orderIds))
  const strangers = outcomes.filter(({ orderIds }) => new Set(orderIds).size > 1).length
  check('the same request gave the same order', strangers === 0, `${strangers} did not`)

  const present = new Map(after.map((order) => [order.id, order]))
  const missing = [...accepted].filter((id) => !present.has(id)).length
  check('accepted orders present after the restart', missing === 0, `${accepted.size - missing} of ${accepted.size}`)
  const before = new Set(orders.map(({ id }) => id))
  const changed = orders.filter((order) => !isKept(order, present.get(order.id))).length
  const added = after.filter(({ id }) => !before.has(id)).length
  check('the restart left the orders as they were', changed + added === 0, `${changed} changed, ${added} new`)
  check('orders nobody was told of', accepted.size === orders.length, orders.length - accepted.size)

  const unconfirmed = after.filter(({ status }) => status !== 'confirmed').length
  const once = new Set(confirmations.map(({ orderId }) => orderId)).size === confirmations.length
  const all = confirmations.length === orders.length && unconfirmed === 0
  check('the queue has worked each order once', once && all, `${confirmations.length} of ${orders.length}`)

  const strange = journal.answers.filter(({ status }) => !ANSWERS.has(status))
  const words = strange.map(({ status, code }) => `${status} ${code ?? ''}`)
  check(
    'refusals are 409, 429 or 503',
    strange.length === 0,
    words.length === 0 ? 'all' : [...new Set(words)].join(', '),
  )

  const odd = outcomes.filter(({ ended }) => ended !== 'bought' && ended !== 'sold out')
  check('every buyer has a final answer', odd.length === 0, odd.length === 0 ? 'all' : `${odd.length}: ${odd[0].ended}`)

  const late = journal.faults.filter(({ soldTo }) => soldTo === undefined || soldTo >= expected)
  check('every fault was over before the end', late.length === 0 && journal.faults.length === 4, endOf(journal.faults))

  const taken = [FAULTS.nodeKilled, FAULTS.nodeSuspended].map((name) =>
    journal.faults.find((fault) => fault.name === name),
  )
  const missed = taken.filter((fault) => fault?.missed).length
  check('lock nodes that were taken away were missed', missed === taken.length, `${missed} of ${taken.length}`)

  const killed = journal.faults.find(({ name }) => name === FAULTS.processKilled)
  const cut = journal.answers.filter(({ code, at }) => code === 'UNREACHABLE' && at >= killed?.from && at <= killed?.to)
  const hasCut = killed?.inHand > 0 || cut.length > 0
  const what = `ended by ${killed?.endedBy}, ${killed?.inHand ?? 0} orders in hand, ${cut.length} requests cut off`
  check('a process was killed in the middle of orders', killed?.endedBy === 'SIGKILL' && hasCut, what)
  return checks
}

function isChain(movements) {
  let stock = 0
  return movements.every(({ delta, stockAfter }) => {
    stock += delta
    return stock === stockAfter
  })
}

/** The queue may have worked it meanwhile. */
function isKept(order, now) {
  const isSame = now?.userId === order.userId && now.quantity === order.quantity
  return isSame && (now.status === order.status || order.status === 'accepted')
}

/** Of those that have one: a lock of the fallback has none. */
function isRising(movements) {
  const tokens = movements.flatMap(({ token }) => token ?? [])
  return tokens.every((token, i) => i === 0 || token >= tokens[i - 1])
}

function endOf(faults) {
  const last = faults.at(-1)
  return last ? `${faults.length} faults, the last over at ${last.soldTo ?? 'no'} sold` : 'no fault'
}
