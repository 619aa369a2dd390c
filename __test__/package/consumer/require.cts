// A CommonJS user in TypeScript, with both spellings of the import. Compiled and then run, on memory nodes.

import { strict as assert } from 'node:assert'
import { Redlock } from 'quorlock'

import quorlock = require('quorlock')

async function main() {
  assert.equal(quorlock.Redlock, Redlock)
  const redlock: quorlock.Redlock = new Redlock({ nodes: ['memory:require'][0] ?? '' })
  const value = await redlock.withLock('order', 5000, () => ({ sold: 1 }))
  const sold: number = value.sold
  assert.equal(sold, 1)
  await redlock.close()
  console.log('require: ok')
}

void main()
