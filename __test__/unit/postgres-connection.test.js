'use strict'

// The statements of one connection that belongs to a lock: one after the other, each for as long as somebody waits for it.

const assert = require('node:assert/strict')
const { EventEmitter } = require('node:events')
const { setImmediate: turn } = require('node:timers/promises')
const { test } = require('node:test')
const { Connection } = require('../../js/postgres/connection')

const LONG_MS = 30_000

/** A client that answers when it is told to. */
class FakeClient extends EventEmitter {
  sent = []
  released = []

  query(text) {
    return new Promise((resolve, reject) => {
      this.sent.push({ text, resolve, reject })
    })
  }

  release(isBroken) {
    this.released.push(isBroken)
  }

  get texts() {
    return this.sent.map(({ text }) => text)
  }
}

function make(answerTimeout = LONG_MS) {
  const client = new FakeClient()
  return { client, connection: new Connection(client, answerTimeout) }
}

test('statements that overlap are sent one after the other, in their order, also after one that failed', async () => {
  const { client, connection } = make()
  const [a, b, c] = ['a', 'b', 'c'].map((text) => connection.query(text))
  await turn()
  assert.deepEqual(client.texts, ['a'])
  client.sent[0].resolve('of a')
  assert.equal(await a, 'of a')
  await turn()
  assert.deepEqual(client.texts, ['a', 'b'])
  client.sent[1].reject(new Error('of b'))
  await assert.rejects(b, /of b/)
  await turn()
  assert.deepEqual(client.texts, ['a', 'b', 'c'])
  client.sent[2].resolve('of c')
  assert.equal(await c, 'of c')
})

test('what nobody waits for any more is not sent', async () => {
  const { client, connection } = make(20)
  const calls = [connection.query('a'), connection.query('b')]
  for (const call of calls) await assert.rejects(call, { code: 'TIMEOUT' })
  client.sent[0].resolve()
  await turn()
  assert.deepEqual(client.texts, ['a'])
})

test('nothing is sent on a connection that has gone back, was destroyed, or is broken', async () => {
  for (const end of ['giveBack', 'destroy']) {
    const { client, connection } = make()
    const [, b] = [connection.query('a'), connection.query('b')]
    await turn()
    connection[end]()
    client.sent[0].resolve()
    await assert.rejects(b, { code: 'CONNECT' })
    assert.deepEqual(client.texts, ['a'])
  }
  const { client, connection } = make()
  const calls = [connection.query('a'), connection.query('b')]
  await turn()
  client.emit('error', new Error('reset'))
  for (const call of calls) await assert.rejects(call, /reset/)
  await assert.rejects(connection.query('c'), /reset/)
  client.sent[0].reject(new Error('reset'))
  await turn()
  assert.deepEqual(client.texts, ['a'])
})
