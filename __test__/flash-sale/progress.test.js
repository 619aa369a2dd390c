'use strict'

// What the load run prints while it runs: on a terminal one line that redraws itself, elsewhere a line every so often.

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { load } = require('./shop')

const ITEMS = 60
const WIDTH = 30

/** A sale that stands at `sold`, and what is printed of it. */
async function printing(t, isTTY) {
  const { startProgress } = await load('load/progress.mjs')
  t.mock.timers.enable({ apis: ['setInterval'] })
  const journal = { sold: 0, answers: [], now: () => 12_345 }
  let text = ''
  const write = (chunk) => {
    text += chunk
  }
  const progress = startProgress(journal, ITEMS, { isTTY, write })
  const printed = () => {
    const now = text
    text = ''
    return now
  }
  return { journal, progress, printed, pass: (ms) => t.mock.timers.tick(ms) }
}

const bar = (filled) => '█'.repeat(filled) + '░'.repeat(WIDTH - filled)

test('on a terminal the line is drawn over, remarks stay above it, and the end leaves a whole line', async (t) => {
  const { journal, progress, printed, pass } = await printing(t, true)
  pass(100)
  assert.equal(printed(), `\r\x1b[K 12 s  ${bar(0)}  0/60 sold, 0 answers`)
  Object.assign(journal, { sold: 31, answers: [1, 2, 3] })
  pass(200)
  const line = ` 12 s  ${bar(15)}  31/60 sold, 3 answers`
  assert.equal(printed(), `\r\x1b[K${line}`.repeat(2))
  progress.note('a node is killed')
  assert.equal(printed(), `\r\x1b[K 12.3 s  a node is killed\n${line}`)
  journal.sold = ITEMS
  progress.end()
  assert.equal(printed(), `\r\x1b[K 12 s  ${bar(WIDTH)}  60/60 sold, 3 answers\n`)
  pass(10_000)
  assert.equal(printed(), '')
})

test('elsewhere there are whole lines without control characters, fewer of them', async (t) => {
  const { journal, progress, printed, pass } = await printing(t, undefined)
  pass(1999)
  assert.equal(printed(), '')
  journal.sold = ITEMS + 2 // more than there are: what the checks are for, and no reason to end here
  pass(1)
  assert.equal(printed(), ` 12 s  ${bar(WIDTH)}  62/60 sold, 0 answers\n`)
  progress.note('over')
  assert.equal(printed(), ' 12.3 s  over\n')
  progress.end()
  assert.equal(printed(), ` 12 s  ${bar(WIDTH)}  62/60 sold, 0 answers\n`)
})
