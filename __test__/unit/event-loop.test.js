'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { open, deliver, settled, record, holds } = require('./support/fake-native')

const detail = { attempts: 1, votes: [] }

test('the event loop is kept alive while calls are pending, and not by locks', async () => {
  const before = holds()
  const { redlock, engine } = open()
  const other = open()
  const asked = redlock.acquire('key', 1000)
  const refused = other.redlock.tryAcquire('key', 1000)
  assert.equal(holds(), before + 1)
  engine.grant(0)
  await deliver()
  assert.equal(holds(), before + 1)
  other.engine.answer(0, record.CONTENDED, { detail })
  await deliver()
  assert.equal(holds(), before)
  assert.equal(await refused, null)
  const released = (await asked).release()
  assert.equal(holds(), before + 1)
  engine.answer(0, record.RELEASED)
  await deliver()
  assert.equal(holds(), before)
  assert.equal(await released, 'released')
})

test('a loop of calls does not switch the interest of the event loop on and off', async () => {
  const { redlock, engine } = open()
  const asked = redlock.acquire('key', 1000)
  engine.grant(0)
  const before = holds()
  const done = asked.then((lock) => lock.release())
  await deliver()
  assert.equal(holds(), before)
  engine.answer(0, record.RELEASED)
  await deliver()
  await done
})

test('an abandoned question keeps nothing alive', async () => {
  const { redlock } = open()
  const before = holds()
  const controller = new AbortController()
  const asked = redlock.connect({ signal: controller.signal })
  assert.equal(holds(), before + 1)
  controller.abort()
  await assert.rejects(asked, { name: 'AbortError' })
  await deliver()
  assert.equal(holds(), before)
})

test('answers that flush() leaves are collected at once, but the event loop gets its turns', async () => {
  const { redlock, engine } = open()
  engine.flush = () => {
    const [method, slot] = engine.asked.at(-1)
    if (method === 'acquire') engine.grant(0)
    else engine.answer(slot, record.RELEASED)
    return true
  }
  let cycles = 0
  let isRunning = true
  const loop = (async () => {
    while (isRunning) {
      const lock = await redlock.acquire('key', 1000)
      await lock.release()
      cycles += 1
    }
  })()
  await settled()
  await settled()
  const early = cycles
  await settled()
  assert.ok(early > 1 && cycles - early < 50, `${early}, then ${cycles}`)
  isRunning = false
  await loop
})
