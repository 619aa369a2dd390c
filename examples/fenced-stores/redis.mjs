// Redis or Valkey as the store: another server than the lock's nodes. The fence is a field of the hash that it protects.
// A script runs without anything in between, so that comparing and writing are one step.

import { Redis } from 'ioredis'
import { MissingItemError, StaleTokenError } from './errors.mjs'
import { checkToken } from './token.mjs'

// KEYS: the item. ARGV: the token, and the value if one is to be written.
// Returns what happened ('done', 'missing' or 'stale') and the value, or for 'stale' the fence.
// Tokens are compared as numbers: as text, "9" is larger than "10". Lua's are exact up to 2^53.
const CLAIM = `
  local fence = redis.call('HGET', KEYS[1], 'fence')
  if not fence then return { 'missing' } end
  if tonumber(fence) > tonumber(ARGV[1]) then return { 'stale', fence } end
  redis.call('HSET', KEYS[1], 'fence', ARGV[1])
  if ARGV[2] then redis.call('HSET', KEYS[1], 'value', ARGV[2]) end
  return { 'done', redis.call('HGET', KEYS[1], 'value') }`

// KEYS: the item. ARGV: the value. Returns whether there is such an item.
const OVERWRITE = `
  if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
  redis.call('HSET', KEYS[1], 'value', ARGV[1])
  return 1`

export function open(url) {
  const scripts = { claim: { lua: CLAIM, numberOfKeys: 1 }, overwrite: { lua: OVERWRITE, numberOfKeys: 1 } }
  const db = new Redis(url, { scripts })
  db.on('error', () => {}) // it connects again, and the commands that fail meanwhile reject
  const key = (id) => `item:${id}`

  async function claim(id, token, ...value) {
    checkToken(token)
    const [outcome, answer] = await db.claim(key(id), token, ...value)
    if (outcome === 'missing') throw new MissingItemError(id)
    if (outcome === 'stale') throw new StaleTokenError(id, token, Number(answer))
    return { id, value: Number(answer) }
  }

  return {
    fenced: {
      /** The item sees the token here already: from now on nobody with a smaller one can write. */
      read: (id, token) => claim(id, token),

      /** The same once more, with a value. An equal token is not refused, since one holder may write often. */
      async write({ id, value }, token) {
        await claim(id, token, value)
      },
    },

    unfenced: {
      async read(id) {
        const value = await db.hget(key(id), 'value')
        if (value === null) throw new MissingItemError(id)
        return { id, value: Number(value) }
      },

      async write({ id, value }) {
        if ((await db.overwrite(key(id), value)) === 0) throw new MissingItemError(id)
      },
    },

    async create({ id, value }) {
      await db.hset(key(id), { value, fence: 0 })
    },

    close: () => db.quit(),
  }
}
