'use strict'

const assert = require('node:assert/strict')
const { AsyncLocalStorage } = require('node:async_hooks')
const { test } = require('node:test')
const { open, quiet, deliver, record } = require('./support/fake-native')
const { LockContendedError, LockLostError } = require('../../js/errors')

/** Runs withLock() with a grant and a release that are answered at once. */
async function run(fn, { key = 'key', options, ...rest } = {}) {
  const { redlock, engine } = open(rest)
  const done = redlock.withLock(key, 1000, (lock) => fn(lock, redlock, engine), options)
  done.catch(() => {})
  engine.grant(0)
  await deliver()
  while (engine.count('release') === 0) await deliver()
  engine.answer(0, record.RELEASED)
  await deliver()
  return { done, engine, redlock }
}

test('what fn returns', async () => {
  assert.equal(await (await run(() => 7)).done, 7)
  assert.equal(await (await run(async (lock) => lock.key)).done, 'key')
  // biome-ignore lint/suspicious/noThenProperty: what some promise libraries return
  assert.equal(await (await run(() => ({ then: (resolve) => resolve('thenable') }))).done, 'thenable')
  assert.equal(await (await run(() => undefined)).done, undefined)
})

test('what fn throws is the very same object', async () => {
  for (const thrown of [new Error('mine'), 'text', null, undefined, { code: 7 }]) {
    const sync = await run(() => {
      throw thrown
    })
    await assert.rejects(sync.done, (error) => error === thrown)
    const late = await run(() => Promise.reject(thrown))
    await assert.rejects(late.done, (error) => error === thrown)
  }
})

test('resolves only when the release was answered, whatever the answer is', async () => {
  const { redlock, engine } = open()
  let isDone = false
  const done = redlock
    .withLock('key', 1000, () => 7)
    .then((value) => {
      isDone = true
      return value
    })
  engine.grant(0)
  await deliver()
  assert.deepEqual(engine.asked.at(-1), ['release', 0])
  assert.equal(isDone, false)
  engine.answer(0, record.RELEASED, { code: 2 })
  await deliver()
  assert.equal(await done, 7)
})

test('renews unless told otherwise', async () => {
  const flags = async (settings) => (await run(() => {}, settings)).engine.asked[0].at(-1)
  assert.equal(await flags({}), 1)
  assert.equal(await flags({ renew: false }), 0)
  assert.equal(await flags({ options: { renew: false } }), 0)
  assert.equal(await flags({ renew: false, options: { renew: true } }), 1)
})

test('the context of the caller is that of fn', async () => {
  const storage = new AsyncLocalStorage()
  const { done } = await storage.run('mine', () => run(() => storage.getStore()))
  assert.equal(await done, 'mine')
})

test('expired before fn could start: a failed round, with what is left of the wait', async () => {
  const { redlock, engine } = open()
  const done = redlock.withLock('key', 1000, (lock) => lock.attempts, { wait: 60_000 })
  engine.grant(0, { left: 0 })
  await deliver()
  assert.deepEqual(engine.asked.at(-1), ['release', 0])
  engine.answer(0, record.RELEASED, { code: 1 })
  await deliver()
  const [method, key, ttl, flags, retry] = engine.asked.at(-1)
  assert.deepEqual([method, key, ttl, flags], ['acquireWaiting', 'key', 1000, 1])
  assert.ok(retry.wait > 0 && retry.wait <= 60_000, String(retry.wait))
  engine.grant(0)
  await deliver()
  engine.answer(0, record.RELEASED)
  await deliver()
  assert.equal(await done, 1)
})

test('expired before fn could start, and no time is left', async () => {
  const { redlock, engine } = open()
  const done = quiet(redlock.withLock('key', 1000, () => assert.fail('called'), { wait: 0 }))
  engine.grant(0, { left: 0 })
  await deliver()
  engine.answer(0, record.RELEASED, { code: 1 })
  await deliver()
  await assert.rejects(done, (error) => error instanceof LockContendedError && /expired before/.test(error.message))
})

for (const [what, lose] of [
  ['the record of the loss has come', (engine) => engine.answer(0, record.LOST, { code: 1, detail: { votes: [] } })],
  ['the record of the loss has not come', (engine) => engine.left.set(0, 0)],
]) {
  test(`lost meanwhile, ${what}: the result counts, or is in the error`, async () => {
    for (const whenLost of [undefined, 'resolve', 'reject']) {
      const { redlock, engine } = open()
      const section = async () => {
        lose(engine)
        await deliver()
        return 'mine'
      }
      const done = quiet(redlock.withLock('key', 1000, section, { whenLost }))
      engine.grant(0)
      await deliver()
      await deliver()
      engine.answer(0, record.RELEASED, { code: 1 })
      await deliver()
      if (whenLost === 'reject') {
        await assert.rejects(done, (error) => error instanceof LockLostError && error.result === 'mine')
      } else {
        assert.equal(await done, 'mine')
      }
    }
  })
}

test('lost meanwhile: what fn throws wins, and who has released has lost nothing', async () => {
  const { redlock, engine } = open()
  const mine = new Error('mine')
  const fails = () => {
    engine.left.set(0, 0)
    throw mine
  }
  const failed = quiet(redlock.withLock('key', 1000, fails, { whenLost: 'reject' }))
  engine.grant(0)
  await deliver()
  engine.answer(0, record.RELEASED, { code: 1 })
  await deliver()
  await assert.rejects(failed, (error) => error === mine)

  const releases = (lock) => {
    lock.release()
    return 'mine'
  }
  const released = redlock.withLock('key', 1000, releases, { whenLost: 'reject' })
  engine.grant(0)
  await deliver()
  engine.answer(0, record.RELEASED)
  await deliver()
  assert.equal(await released, 'mine')
})

for (const [answer, code, rejects] of [
  ['released', 0, false],
  ['expired', 1, true],
  ['unknown', 2, false],
  ['unknown', 2, true],
]) {
  test(`released by fn itself, ${rejects ? 'late' : 'in time'}, which is answered "${answer}" before any word of a loss`, async () => {
    for (const whenLost of ['resolve', 'reject']) {
      for (const waits of [false, true]) {
        const { redlock, engine } = open()
        const section = async (lock) => {
          if (rejects) engine.left.set(0, 0)
          const release = lock.release()
          if (waits) assert.equal(await release, answer)
          return 'mine'
        }
        const done = quiet(redlock.withLock('key', 1000, section, { whenLost }))
        engine.grant(0)
        await deliver()
        engine.answer(0, record.RELEASED, { code })
        await deliver()
        if (rejects && whenLost === 'reject') {
          const lost = { name: 'LockLostError', code: 'ERR_LOCK_LOST', reason: 'expired', key: 'key', result: 'mine' }
          await assert.rejects(done, lost)
        } else {
          assert.equal(await done, 'mine')
        }
        assert.equal(engine.count('release'), 1)
      }
    }
  })
}

test('released by fn itself after it had expired: what fn throws wins', async () => {
  const { redlock, engine } = open()
  const mine = new Error('mine')
  const section = (lock) => {
    engine.left.set(0, 0)
    lock.release()
    throw mine
  }
  const done = quiet(redlock.withLock('key', 1000, section, { whenLost: 'reject' }))
  engine.grant(0)
  await deliver()
  engine.answer(0, record.RELEASED, { code: 1 })
  await deliver()
  await assert.rejects(done, (error) => error === mine)
})

test('aborted between the grant and fn', async () => {
  const { redlock, engine } = open()
  const controller = new AbortController()
  const done = quiet(redlock.withLock('key', 1000, () => assert.fail('called'), { signal: controller.signal }))
  engine.grant(0)
  const delivered = deliver()
  controller.abort('mine')
  await delivered
  engine.answer(0, record.RELEASED)
  await deliver()
  await assert.rejects(done, (error) => error === 'mine')
})

test('the same key again in the same context is a deadlock, and is told at once', async () => {
  const { done } = await run(async (_lock, redlock) => {
    const deadlock = { code: 'ERR_LOCK_CONTENDED', reentrant: true, message: /deadlock/ }
    await assert.rejects(redlock.acquire('key', 1000), deadlock)
    await assert.rejects(redlock.acquire(['x', 'key'], 1000), deadlock)
    await assert.rejects(
      redlock.withLock('key', 1000, () => {}),
      deadlock,
    )
    assert.equal(await redlock.tryAcquire('key', 1000), null)
    await Promise.resolve()
    await assert.rejects(
      Promise.resolve().then(() => redlock.acquire('key', 1000)),
      deadlock,
    )
  })
  await done
})

test('one key of several is enough, and another instance over the same nodes counts', async () => {
  const { done } = await run(
    async () => {
      const { redlock } = open({ nodes: ['redis://c', { host: 'B' }, 'valkey://a:6379'] })
      await assert.rejects(redlock.acquire('b', 1000), { reentrant: true })
      await assert.rejects(redlock.acquire(['c', 'a'], 1000), { reentrant: true })
    },
    { key: ['a', 'b'] },
  )
  await done
})

test('other keys, prefixes and nodes are no deadlock; nor is a context that has ended, or a lock that is lost', async () => {
  let later
  const { done, redlock } = await run(async (_lock, redlock, engine) => {
    later = AsyncLocalStorage.snapshot()
    const asks = async (instance, own) => {
      instance.redlock.acquire('key', 1000)
      assert.deepEqual(own.asked.at(-1).slice(0, 2), ['acquire', 'key'])
    }
    redlock.acquire('other', 1000)
    assert.deepEqual(engine.asked.at(-1).slice(0, 2), ['acquire', 'other'])
    for (const options of [{ keyPrefix: 'p:' }, { nodes: ['redis://a', 'redis://b'] }, { nodes: 'memory' }]) {
      const opened = open(options)
      await asks(opened, opened.engine)
    }
    engine.left.set(0, 0)
    await asks({ redlock }, engine)
  })
  await done
  const again = later(() => redlock.acquire('key', 1000))
  again.catch((error) => assert.fail(error))
})

test('nested sections of different keys, innermost and outermost are both known', async () => {
  const { redlock, engine } = open()
  const done = redlock.withLock('outer', 1000, () =>
    redlock.withLock('inner', 1000, async () => {
      await assert.rejects(redlock.acquire('outer', 1000), { reentrant: true })
      await assert.rejects(redlock.acquire('inner', 1000), { reentrant: true })
    }),
  )
  engine.grant(0)
  await deliver()
  engine.grant(1)
  await deliver()
  engine.answer(1, record.RELEASED)
  await deliver()
  engine.answer(0, record.RELEASED)
  await deliver()
  await done
})
