'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { Turns } = require('../../js/postgres/turns')

const settled = () => new Promise((resolve) => setImmediate(resolve))

/** Who has come, by name, and everybody's stand. */
function line(turns) {
  const come = []
  const stands = {}
  const stand = (name, numbers) => {
    stands[name] = turns.stand(numbers)
    stands[name].turn.then(() => come.push(name))
    return stands[name]
  }
  const leave = (name) => {
    stands[name].leave()
    return settled()
  }
  return { come, stand, leave }
}

test('one after the other, in the order of their calls; other numbers are other lines', async () => {
  const turns = new Turns()
  const { come, stand, leave } = line(turns)
  assert.equal(stand('a', ['1']).isFirst, true)
  assert.equal(stand('b', ['1']).isFirst, false)
  stand('c', ['1'])
  assert.equal(stand('other', ['2']).isFirst, true)
  await settled()
  assert.deepEqual(come, ['a', 'other'])
  await leave('a')
  assert.equal(come.at(-1), 'b')
  await leave('b')
  assert.equal(come.at(-1), 'c')
  await leave('c')
  await leave('other')
  for (const number of ['1', '2']) assert.equal(turns.stand([number]).isFirst, true)
})

test('who gives up in the middle lets nobody in before his time', async () => {
  const { come, stand, leave } = line(new Turns())
  for (const name of ['a', 'b', 'c']) stand(name, ['1'])
  await leave('b')
  assert.deepEqual(come, ['a'])
  await leave('a')
  assert.deepEqual(come, ['a', 'c'])
})

test('several numbers: in all lines at once, there when first in each, and given up all together', async () => {
  const { come, stand, leave } = line(new Turns())
  stand('a', ['2'])
  stand('b', ['1', '2', '3'])
  stand('c', ['3', '1'])
  stand('d', ['1'])
  await settled()
  assert.deepEqual(come, ['a'])
  await leave('b')
  assert.deepEqual(come, ['a', 'c'])
  await leave('c')
  await leave('c')
  assert.deepEqual(come, ['a', 'c', 'd'])
})

test('who meets in several lines is in the same order in each of them', async () => {
  const { come, stand, leave } = line(new Turns())
  stand('a', ['1', '2'])
  stand('b', ['2', '1'])
  stand('c', ['1', '2'])
  for (const name of ['a', 'b', 'c']) {
    await settled()
    assert.equal(come.at(-1), name)
    await leave(name)
  }
})
