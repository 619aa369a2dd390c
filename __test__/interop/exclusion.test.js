'use strict'

// The same key on the same nodes, by two libraries: held by one, refused to the other, both ways. And neither can
// extend or release what is the other's, not even with a handle for the same key.

const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { useCluster } = require('../support/cluster')
const { ioredis, peers } = require('../support/peers')
const { allUp, open, uniqueKey } = require('../support/quorlock')
const { until } = require('../support/until')
const { quorlock, others, likeFive } = require('./holders')

describe('quorlock and', { concurrency: true }, () => {
  const cluster = useCluster(3)
  const TTL = 20_000

  const onEveryNode = (key, value) =>
    until(async () => (await cluster.all('GET', key)).every((found) => found === value))

  for (const [name, makeOther] of Object.entries(others)) {
    test(`${name}: held by ours, refused to theirs`, async (t) => {
      const [ours, theirs] = [await quorlock(t, cluster.urls), await makeOther(t, cluster.urls)]
      const key = uniqueKey()
      const lock = await ours.take(key, TTL)
      assert.equal(await theirs.take(key, TTL), null)
      assert.equal(lock.isHeld, true)
      assert.equal(await ours.release(lock), true)
      const after = await theirs.take(key, TTL)
      assert.ok(after, 'free for them after our release')
      assert.equal(await theirs.release(after), true)
    })

    test(`${name}: held by theirs, refused to ours`, async (t) => {
      const [ours, theirs] = [await quorlock(t, cluster.urls), await makeOther(t, cluster.urls)]
      const key = uniqueKey()
      const lock = await theirs.take(key, TTL)
      assert.ok(lock)
      // Some of them answer as soon as a quorum has.
      await onEveryNode(key, theirs.valueOf(lock))
      assert.equal(await ours.take(key, TTL), null)
      for (const node of await open(t, cluster.urls).inspect(key)) {
        assert.equal(node.held, true)
        assert.equal(node.id, theirs.valueOf(lock))
      }
      assert.equal(await theirs.release(lock), true)
      const after = await ours.take(key, TTL)
      assert.ok(after, 'free for us after their release')
      assert.equal(await ours.release(after), true)
    })

    test(`${name}: we wait for their release`, async (t) => {
      const theirs = await makeOther(t, cluster.urls)
      const redlock = open(t, cluster.urls)
      const key = uniqueKey()
      const lock = await theirs.take(key, TTL)
      const waiting = redlock.acquire(key, TTL, { wait: 30_000 })
      await until(() => redlock.stats().waiting === 1)
      assert.equal(await theirs.release(lock), true)
      assert.equal((await waiting).isHeld, true)
    })

    test(`${name}: they can neither extend nor release ours`, async (t) => {
      const [ours, theirs] = [await quorlock(t, cluster.urls), await makeOther(t, cluster.urls)]
      const key = uniqueKey()
      const lock = await ours.take(key, 5000)
      await onEveryNode(key, lock.id)
      const forged = theirs.adopt(key, 'f'.repeat(32), TTL)
      assert.equal(await theirs.extend(forged, TTL), false)
      assert.equal(await theirs.release(forged), false)
      assert.equal(lock.isHeld, true)
      for (const left of await cluster.all('PTTL', key)) assert.ok(left > 0 && left <= 5000, `not extended: ${left}`)
      assert.equal(await ours.extend(lock, TTL), true)
      assert.equal(await ours.release(lock), true)
    })

    test(`${name}: we can neither extend nor release theirs`, async (t) => {
      const [ours, theirs] = [await quorlock(t, cluster.urls), await makeOther(t, cluster.urls)]
      const key = uniqueKey()
      const lost = await ours.take(key, 5000)
      await onEveryNode(key, lost.id)
      await cluster.all('DEL', key)
      const lock = await theirs.take(key, 5000)
      assert.ok(lock)
      await onEveryNode(key, theirs.valueOf(lock))
      assert.equal(await ours.extend(lost, TTL), false)
      assert.equal(await ours.release(lost), false)
      assert.deepEqual(await cluster.all('GET', key), Array(3).fill(theirs.valueOf(lock)))
      for (const left of await cluster.all('PTTL', key)) assert.ok(left > 0 && left <= 5000, `not extended: ${left}`)
      assert.equal(await theirs.extend(lock, TTL), true)
      assert.equal(await theirs.release(lock), true)
    })

    test(`${name}: a lock handed over by its value is theirs to extend and release`, async (t) => {
      const [ours, theirs] = [await quorlock(t, cluster.urls), await makeOther(t, cluster.urls)]
      const key = uniqueKey()
      const lock = await ours.take(key, 5000)
      await onEveryNode(key, lock.id)
      let adopted = theirs.adopt(key, lock.id, 5000)
      assert.equal(await theirs.extend(adopted, TTL), true)
      await until(async () => (await cluster.all('PTTL', key)).every((left) => left > 5000))
      adopted = theirs.adopt(key, lock.id, TTL)
      assert.equal(await theirs.release(adopted), true)
      await until(async () => (await cluster.holding(key)) === 0)
      await ours.release(lock)
    })
  }

  test('sesamecare redlock: in DB 0, whatever its clients say', async (t) => {
    const theirs = await likeFive('sesamecare in DB 3', peers.sesamecare, { db: 3 })(t, cluster.urls)
    const ours = await quorlock(t, cluster.urls)
    const inDb3 = await quorlock(
      t,
      cluster.urls.map((url) => `${url}/3`),
    )
    const key = uniqueKey()
    const lock = await theirs.take(key, TTL)
    assert.equal(await ours.take(key, TTL), null, 'excluded in DB 0')
    const elsewhere = await inDb3.take(key, TTL)
    assert.ok(elsewhere, 'not excluded in DB 3')
    assert.equal(await theirs.release(lock), true)
  })

  test('one node only: the same exclusion', async (t) => {
    const [url] = cluster.urls
    const ours = await quorlock(t, url)
    for (const makeOther of Object.values(others)) {
      const theirs = await makeOther(t, [url])
      const key = uniqueKey()
      const lock = await ours.take(key, TTL)
      assert.equal(await theirs.take(key, TTL), null, theirs.name)
      await ours.release(lock)
      const other = await theirs.take(key, TTL)
      assert.equal(await ours.take(key, TTL), null, theirs.name)
      assert.equal(await theirs.release(other), true)
    }
  })

  test("redis-semaphore: its prefix is our keyPrefix 'mutex:'", async (t) => {
    const { Mutex, RedlockMutex } = peers.semaphore.api
    const clients = await ioredis(t, cluster.urls)
    const options = { acquireAttemptsLimit: 1, lockTimeout: TTL, refreshInterval: 0 }
    for (const [nodes, makeMutex] of [
      [cluster.urls, (key) => new RedlockMutex(clients, key, options)],
      [cluster.urls[0], (key) => new Mutex(clients[0], key, options)],
    ]) {
      const redlock = await allUp(t, nodes, { keyPrefix: 'mutex:' })
      const key = uniqueKey()
      const mutex = makeMutex(key)
      const lock = await redlock.acquire(key, TTL)
      assert.equal(await mutex.tryAcquire(), false)
      assert.equal(lock.isHeld, true)
      assert.equal(await lock.release(), 'released')
      assert.equal(await mutex.tryAcquire(), true)
      assert.equal(await redlock.tryAcquire(key, TTL), null)
      await mutex.release()
      const after = await redlock.tryAcquire(key, TTL)
      assert.ok(after, 'free for us after its release')
      assert.equal(await makeMutex(key).release(), undefined)
      assert.equal(after.isHeld, true)
      assert.equal(await after.release(), 'released')
    }
  })

  test('keyPrefix of ioredis is our keyPrefix', async (t) => {
    const [client] = await ioredis(t, [cluster.urls[0]], { keyPrefix: 'app:' })
    const theirs = new peers.redlock5.Redlock([client], { retryCount: 0 })
    const ours = open(t, cluster.urls[0], { keyPrefix: 'app:' })
    const key = uniqueKey()
    const lock = await theirs.acquire([key], TTL)
    assert.equal(await ours.tryAcquire(key, TTL), null)
    await lock.release()
    assert.ok(await ours.tryAcquire(key, TTL))
  })
})
