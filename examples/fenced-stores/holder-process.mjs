// One holder of the lock, in a process of its own. It sells some of an item's stock: under the lock it reads how much
// there is, and writes how much is left. It does either step when it is told to, and says how it went.

import { once } from 'node:events'
import { Redlock } from '../../index.mjs'
import { StaleTokenError } from './errors.mjs'

const TTL_MS = 500
const WAIT_MS = 60_000

// by a message and not as arguments, which everybody on the machine can read: the url may hold a password
const [{ name, url, nodes, form, id, quantity }] = await once(process, 'message')
const { open } = await import(`./${name}.mjs`)

process.once('disconnect', () => process.exit())
const store = open(url)
const redlock = new Redlock({ nodes, fencing: form === 'fenced' })
await redlock.connect()
process.send('ready')

await told('read')
const outcome = await sell()
await redlock.close()
await store.close()
process.send(outcome, () => process.disconnect())

async function sell() {
  const { read, write } = store[form]
  let isHeld
  const section = async (lock) => {
    const item = await read(id, lock.token) // unfenced: there is no token, and nobody looks for one
    process.send({ token: lock.token, stock: item.value })
    await told('write') // between the last look at a lock and the write there is always a moment; this one is long
    const stock = item.value - quantity
    try {
      await write({ ...item, value: stock }, lock.token)
    } finally {
      isHeld = lock.isHeld // whoever asked would have known
    }
    return stock
  }
  try {
    const stock = await redlock.withLock(`lock:item:${id}`, TTL_MS, section, { wait: WAIT_MS })
    return { stock, isHeld }
  } catch (error) {
    if (!(error instanceof StaleTokenError)) throw error
    return { refused: error.message, token: error.token, fence: error.fence, isHeld }
  }
}

async function told(word) {
  const [message] = await once(process, 'message')
  if (message !== word) throw new Error(`told to ${message} where only ${word} makes sense`)
}
