// Two holders, one after the other, of which the first is suspended for longer than its lock lasts, and then writes.

import { randomUUID } from 'node:crypto'
import { Holder } from './holder.mjs'

const STOCK = 100
const SELLS = { A: 1, B: 2 }

/**
 * @param {object} settings
 *   `name`: which store; `url`: where it is; `nodes`: those of the lock
 *   `form`: 'fenced' or 'unfenced'
 *   `order`: when A writes: 'after' B has written, or 'between' B's read and its write
 *   `say`: is told each step
 * @returns {Promise<object>} what A and B were answered, how many were `sold`, how many are `gone` from the stock, and
 *   the difference: the updates that are `lost`
 */
export async function runScenario({ name, url, nodes, form, order = 'after', say = () => {} }) {
  const { open } = await import(`./${name}.mjs`)
  const store = open(url)
  const holders = []
  try {
    const id = `ticket-${randomUUID().slice(0, 8)}`
    await store.create({ id, value: STOCK })
    const [a, b] = Object.values(SELLS).map((quantity) => new Holder({ name, url, nodes, form, id, quantity }))
    holders.push(a, b)
    await Promise.all(holders.map((holder) => holder.ready()))

    const readA = await a.tell('read')
    a.suspend()
    say(`A takes the lock${token(readA)}, reads ${readA.stock}, is suspended`)
    const readB = await b.tell('read') // not before A's lock has expired
    say(`B takes the lock${token(readB)}, reads ${readB.stock}`)
    const writeA = async () => {
      a.continue()
      const end = await a.tell('write')
      say(`A is continued, sells ${SELLS.A}: ${outcome(end)}`)
      return end
    }
    const writeB = async () => {
      const end = await b.tell('write')
      say(`B sells ${SELLS.B}: ${outcome(end)}`)
      return end
    }
    const ends = {}
    if (order === 'between') ends.A = await writeA()
    ends.B = await writeB()
    ends.A ??= await writeA()

    const { value } = await store.unfenced.read(id)
    const sold = Object.keys(SELLS).reduce((sum, who) => sum + (ends[who].refused ? 0 : SELLS[who]), 0)
    const gone = STOCK - value
    return { A: { ...readA, ...ends.A }, B: { ...readB, ...ends.B }, sold, gone, lost: sold - gone }
  } finally {
    await Promise.all(holders.map((holder) => holder.stop()))
    await store.close()
  }
}

function token({ token }) {
  return token === undefined ? '' : ` with token ${token}`
}

function outcome({ refused, stock }) {
  return refused ? `refused, ${refused}` : `writes ${stock}`
}
