'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { Turns } = require('../../js/postgres/turns')

const settled = () => new Promise((resolve) => setImmediate(resolve))

/** Who has come, by name, and what lets each of them go. */
function line(turns) {
  const come = []
  const leave = {}
  const stand = (name, numbers, end = null) =>
    turns.take(numbers, end).then((letGo) => {
      come.push(name)
      leave[name] = letGo
    })
  return { come, leave, stand }
}

test('one after the other, in the order of their calls; other numbers are other lines', async () => {
  const turns = new Turns()
  const { come, leave, stand } = line(turns)
  for (const name of ['a', 'b', 'c']) stand(name, ['1'])
  stand('other', ['2'])
  await settled()
  assert.deepEqual(come.sort(), ['a', 'other'])
  for (const [name, next] of [
    ['a', 'b'],
    ['b', 'c'],
  ]) {
    leave[name]()
    await settled()
    assert.equal(come.at(-1), next)
  }
  leave.c()
  leave.other()
  assert.equal(turns.isBusy(['1', '2']), false)
})

test('who gives up in the middle lets nobody in before his time', async () => {
  const turns = new Turns()
  const { come, leave, stand } = line(turns)
  stand('a', ['1'])
  let giveUp
  const end = new Promise((_, reject) => {
    giveUp = reject
  })
  const given = stand('b', ['1'], end)
  stand('c', ['1'])
  await settled()
  giveUp(new Error('enough'))
  await assert.rejects(given, /enough/)
  await settled()
  assert.deepEqual(come, ['a'])
  leave.a()
  await settled()
  assert.deepEqual(come, ['a', 'c'])
})

test('several numbers: all of them, and given up all together', async () => {
  const turns = new Turns()
  const { come, leave, stand } = line(turns)
  stand('a', ['2'])
  const given = stand('b', ['1', '2'], Promise.reject(new Error('enough')))
  await assert.rejects(given, /enough/)
  assert.equal(turns.isBusy(['1']), false)
  stand('c', ['1', '2'])
  stand('d', ['1'])
  await settled()
  assert.deepEqual(come, ['a'])
  leave.a()
  await settled()
  assert.deepEqual(come, ['a', 'c'])
  leave.c()
  leave.c()
  await settled()
  assert.deepEqual(come, ['a', 'c', 'd'])
})
