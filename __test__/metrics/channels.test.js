// The messages on node:diagnostics_channel, over three real servers.

const assert = require('node:assert/strict')
const { AsyncLocalStorage } = require('node:async_hooks')
const { execFile } = require('node:child_process')
const { channel, subscribe, unsubscribe } = require('node:diagnostics_channel')
const path = require('node:path')
const { describe, test } = require('node:test')
const { promisify } = require('node:util')
const { useCluster } = require('../support/cluster')
const { freePort } = require('../support/ports')
const { open, connected, allUp, uniqueKey } = require('../support/quorlock')
const { until, sleep } = require('../support/until')
const { messages } = require('./support')

const root = path.join(__dirname, '..', '..')
const outcomes = (got) => got.map(({ outcome }) => outcome)

describe('quorlock:acquire', () => {
  const cluster = useCluster(3)

  test('acquired: key, ttl, rounds and the time that the call waited', async (t) => {
    const redlock = await connected(t, cluster.urls)
    const got = messages(t, 'quorlock:acquire', redlock)
    const keys = [uniqueKey(), uniqueKey()]
    const first = await redlock.acquire(keys, 5000)
    assert.equal(got.length, 1, 'told before the caller goes on')
    const since = performance.now()
    const second = redlock.acquire(keys[0], 4000, { wait: 20_000 })
    await until(() => redlock.stats().waiting === 1)
    await sleep(60)
    await first.release()
    await (await second).release()
    const whole = performance.now() - since

    assert.deepEqual(got[0].key, keys)
    assert.ok(Object.isFrozen(got[0].key))
    assert.deepEqual([got[0].ttl, got[0].outcome, got[0].attempts, got[0].degraded], [5000, 'acquired', 1, false])
    assert.equal(got[1].key, keys[0])
    assert.ok(got[1].waited >= 55 && got[1].waited <= whole, `${got[1].waited} of ${whole}`)
    assert.equal(got.length, 2)
  })

  test('contended: acquire, tryAcquire, withLock, a DistributedLock and a reentrant call', async (t) => {
    const redlock = await connected(t, cluster.urls)
    const key = uniqueKey()
    const holder = await redlock.acquire(key, 20_000)
    const got = messages(t, 'quorlock:acquire', redlock)
    const error = await redlock.acquire(key, 1000, { retryCount: 1, retryDelay: 1 }).catch((reason) => reason)
    assert.equal(got[0].attempts, error.attempts)
    assert.ok(got[0].attempts >= 1)
    assert.equal(await redlock.tryAcquire(key, 1000), null)
    await assert.rejects(
      redlock.withLock(key, 1000, () => {}, { wait: 0 }),
      { code: 'ERR_LOCK_CONTENDED' },
    )
    assert.equal(await redlock.createLock(key).tryAcquire(), false)
    assert.deepEqual(outcomes(got), Array(4).fill('contended'))
    await holder.release()

    got.length = 0
    await redlock.withLock(key, 1000, async () => {
      await assert.rejects(redlock.acquire(key, 1000), { reentrant: true })
      await assert.rejects(
        redlock.withLock(key, 1000, () => {}),
        { reentrant: true },
      )
      assert.equal(await redlock.tryAcquire(key, 1000), null)
    })
    assert.deepEqual(outcomes(got), ['acquired', 'contended', 'contended', 'contended'])
  })

  test('unavailable', async (t) => {
    const ports = await Promise.all([freePort(), freePort(), freePort()])
    const redlock = open(
      t,
      ports.map((port) => `redis://127.0.0.1:${port}`),
    )
    const got = messages(t, 'quorlock:acquire', redlock)
    await assert.rejects(redlock.acquire('a', 1000, { wait: 0 }), { code: 'ERR_QUORUM_UNAVAILABLE' })
    await assert.rejects(redlock.tryAcquire('a', 1000), { code: 'ERR_QUORUM_UNAVAILABLE' })
    await assert.rejects(
      redlock.withLock('a', 1000, () => {}, { wait: 0 }),
      { code: 'ERR_QUORUM_UNAVAILABLE' },
    )
    assert.deepEqual(outcomes(got), Array(3).fill('unavailable'))
  })

  test('aborted: while it waits, before it was asked, and with an error of ours as the reason', async (t) => {
    const redlock = await connected(t, cluster.urls)
    const key = uniqueKey()
    const holder = await redlock.acquire(key, 20_000)
    const got = messages(t, 'quorlock:acquire', redlock)
    const refusal = await redlock.acquire(key, 1000, { wait: 0 }).catch((error) => error)
    for (const reason of [new Error('enough'), refusal, 'a word']) {
      const controller = new AbortController()
      const waits = redlock.acquire(key, 1000, { wait: 20_000, signal: controller.signal })
      const section = redlock.withLock(key, 1000, () => {}, { wait: 20_000, signal: controller.signal })
      const ended = Promise.all([waits, section].map((call) => call.catch((error) => error)))
      await until(() => redlock.stats().waiting === 2)
      controller.abort(reason)
      for (const error of await ended) assert.equal(error, reason, 'the very object')
    }
    const late = redlock.tryAcquire(key, 1000, { signal: AbortSignal.abort() })
    await assert.rejects(late, { name: 'AbortError' })
    assert.deepEqual(outcomes(got), ['contended', ...Array(7).fill('aborted')])
    assert.equal(got[1].attempts, undefined)
    await holder.release()
  })

  test('closed: while it waits, and after', async (t) => {
    const redlock = await connected(t, cluster.urls)
    const key = uniqueKey()
    await redlock.acquire(key, 20_000)
    const got = messages(t, 'quorlock:acquire', redlock)
    const waits = [
      redlock.acquire(key, 1000, { wait: 20_000 }),
      redlock.withLock(key, 1000, () => {}, { wait: 20_000 }),
    ]
    const ended = Promise.allSettled(waits)
    await until(() => redlock.stats().waiting === 2)
    await redlock.close({ timeout: 0 })
    await ended
    await assert.rejects(redlock.acquire(key, 1000), { code: 'ERR_REDLOCK_CLOSED' })
    await assert.rejects(
      redlock.withLock(key, 1000, () => {}),
      { code: 'ERR_REDLOCK_CLOSED' },
    )
    assert.deepEqual(outcomes(got), Array(4).fill('closed'))
  })

  test('nothing of bad input, of other questions, and after unsubscribing', async (t) => {
    const redlock = await connected(t, cluster.urls)
    const got = []
    const subscriber = (message) => got.push(message)
    subscribe('quorlock:acquire', subscriber)
    await assert.rejects(redlock.acquire('', 1000), { code: 'ERR_INVALID_ARG_VALUE' })
    await assert.rejects(redlock.acquire('a', 1), RangeError)
    await assert.rejects(redlock.acquire('a', 1000, 'soon'), TypeError)
    await assert.rejects(redlock.withLock('a', 1000), TypeError)
    await redlock.connect()
    await redlock.inspect('a')
    unsubscribe('quorlock:acquire', subscriber)
    assert.equal(channel('quorlock:acquire').hasSubscribers, false)
    await redlock.withLock(uniqueKey(), 1000, () => {})
    assert.deepEqual(got, [])
  })

  test("comes in the caller's async context", async (t) => {
    const redlock = await connected(t, cluster.urls)
    const request = new AsyncLocalStorage()
    const contexts = []
    const subscriber = () => contexts.push(request.getStore())
    for (const name of ['quorlock:acquire', 'quorlock:release', 'quorlock:extend']) {
      subscribe(name, subscriber)
      t.after(() => unsubscribe(name, subscriber))
    }
    await request.run('mine', () => redlock.withLock(uniqueKey(), 1000, (lock) => lock.extend()))
    assert.deepEqual(contexts, ['mine', 'mine', 'mine'])
  })

  test('a rejection that nobody handles stays one, and one that is handled does not become one', async () => {
    const run = promisify(execFile)
    const script = (handle) => `
      const { subscribe } = require('node:diagnostics_channel')
      for (const name of ['acquire', 'extend', 'release']) subscribe('quorlock:' + name, () => {})
      const { Redlock } = require(${JSON.stringify(root)})
      const redlock = new Redlock({ nodes: 'memory', retryCount: 0 })
      redlock.acquire('a', 1000).then(async (lock) => {
        const calls = [redlock.acquire('a', 1000), redlock.withLock('a', 1000, () => {})]
        await lock.release()
        calls.push(lock.extend())
        ${handle ? 'await Promise.allSettled(calls)' : ''}
        console.log('through')
      })`
    assert.equal((await run(process.execPath, ['-e', script(true)])).stdout, 'through\n')
    await assert.rejects(run(process.execPath, ['-e', script(false)]), /ERR_LOCK/)
  })
})

describe('quorlock:release, quorlock:extend, quorlock:lost', () => {
  const cluster = useCluster(3)

  test('released: id, and the time between grant and release', async (t) => {
    const redlock = await connected(t, cluster.urls)
    const before = await redlock.acquire(uniqueKey(), 5000)
    const got = messages(t, 'quorlock:release', redlock)
    const key = uniqueKey()
    const since = performance.now()
    const lock = await redlock.acquire(key, 5000)
    await sleep(40)
    const answers = [lock.release(), lock.release()]
    const whole = performance.now() - since
    await Promise.all(answers)
    assert.equal(got.length, 1, 'once for each handle')
    assert.deepEqual([got[0].key, got[0].id, got[0].outcome], [key, lock.id, 'released'])
    assert.ok(got[0].held >= 35 && got[0].held <= whole, `${got[0].held} of ${whole}`)
    await before.release()
    assert.equal(got[1].held, undefined, 'nobody listened when it was granted')
  })

  test('expired, and unknown where too few nodes answer', async (t) => {
    const redlock = await allUp(t, cluster.urls, { nodeTimeout: 1000 })
    const got = messages(t, 'quorlock:release', redlock)
    const short = await redlock.acquire(uniqueKey(), 200)
    await until(() => !short.isHeld)
    assert.equal(await short.release(), 'expired')
    const lock = await redlock.acquire(uniqueKey(), 20_000)
    const [one, two] = cluster.servers
    t.after(() => [one, two].map((server) => server.resume()))
    for (const server of [one, two]) server.pause()
    assert.equal(await lock.release(), 'unknown')
    assert.deepEqual(outcomes(got), ['expired', 'unknown'])
  })

  test('extended with what was left; and why it was not', async (t) => {
    const redlock = await allUp(t, cluster.urls)
    const got = messages(t, 'quorlock:extend', redlock)
    const key = uniqueKey()
    const lock = await redlock.acquire(key, 20_000)
    await lock.extend(30_000)
    assert.deepEqual([got[0].key, got[0].id, got[0].ttl, got[0].outcome], [key, lock.id, 30_000, 'extended'])
    assert.ok(got[0].left > 5000 && got[0].left < 20_000, `${got[0].left}`)
    await cluster.all('DEL', key)
    const error = await lock.extend().catch((reason) => reason)
    assert.equal(error.code, 'ERR_LOCK_LOST')
    await lock.release()
    await assert.rejects(lock.extend(), { code: 'ERR_LOCK_LOST' })
    assert.equal(got[1].outcome, 'gone')
    assert.equal(got.length, 3)
    assert.deepEqual([got[1].outcome, got[2].outcome], [error.reason, 'gone'])
    const other = await redlock.acquire(uniqueKey(), 5000)
    await other.release()
    await assert.rejects(other.extend(), { reason: 'released' })
    assert.equal(got[3].outcome, 'released')
    await assert.rejects(other.extend(1), RangeError)
    assert.equal(got.length, 4)
  })

  test('lost: gone, expired and closed, as the event', async (t) => {
    const redlock = await allUp(t, cluster.urls)
    const got = messages(t, 'quorlock:lost', redlock)
    const events = []
    redlock.on('lost', (event) => events.push(event))
    const [gone, expired, closed] = [uniqueKey('gone'), uniqueKey('expired'), uniqueKey('closed')]
    const held = await redlock.acquire(closed, 60_000)
    await redlock.acquire(expired, 200)
    await until(() => got.length === 1)
    await redlock.acquire(gone, 3000, { renew: true })
    await cluster.all('DEL', gone)
    await until(() => got.length === 2)
    await redlock.close({ timeout: 0 })
    assert.deepEqual(
      got.map(({ key, reason }) => [key, reason]),
      [
        [expired, 'expired'],
        [gone, 'gone'],
        [closed, 'closed'],
      ],
    )
    assert.equal(got[2].id, held.id)
    assert.deepEqual(
      events,
      got.map(({ key, id, reason }) => ({ key, id, reason })),
    )
  })
})
