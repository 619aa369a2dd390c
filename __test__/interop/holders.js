'use strict'

// Every library behind one face, so that each pair can be tried both ways:
//   { name, take(key, ttl) -> handle or null, extend(handle, ttl) -> boolean, release(handle) -> boolean,
//     adopt(key, value, ttl) -> a handle as if this library had taken the lock with that value }

const { peers, ioredis, universalAdapters } = require('../support/peers')
const { open } = require('../support/quorlock')

const yes = (promise) =>
  Promise.resolve(promise).then(
    () => true,
    () => false,
  )

async function quorlock(t, urls) {
  const redlock = open(t, urls)
  await redlock.connect()
  return {
    name: 'quorlock',
    take: (key, ttl) => redlock.tryAcquire(key, ttl),
    extend: (lock, ttl) => yes(lock.extend(ttl)),
    release: async (lock) => (await lock.release()) === 'released',
    valueOf: (lock) => lock.id,
  }
}

async function redlock4(t, urls) {
  const { Redlock } = peers.redlock4
  const redlock = new Redlock(await ioredis(t, urls), { retryCount: 0 })
  return {
    name: 'redlock 4.2',
    take: (key, ttl) =>
      redlock.lock(key, ttl).then(
        (lock) => lock,
        () => null,
      ),
    extend: (lock, ttl) => yes(redlock.extend(lock, ttl)),
    release: (lock) => yes(redlock.unlock(lock)),
    valueOf: (lock) => lock.value,
    adopt: (key, value, ttl) => new Redlock.Lock(redlock, [key], value, Date.now() + ttl, 1, 0),
  }
}

const likeFive =
  (name, peer, connection = {}) =>
  async (t, urls) => {
    const redlock = new peer.Redlock(await ioredis(t, urls, connection), { retryCount: 0 })
    const Lock = peer.Lock
    return {
      name,
      take: (key, ttl) => redlock.acquire([key], ttl).catch(() => null),
      extend: (lock, ttl) => yes(redlock.extend(lock, ttl)),
      release: (lock) => yes(redlock.release(lock)),
      valueOf: (lock) => lock.value,
      adopt: (key, value, ttl) => new Lock(redlock, [key], value, [], Date.now() + ttl),
    }
  }

async function universal(t, urls) {
  const { createRedlock } = peers.universal.api
  const adapters = universalAdapters(await ioredis(t, urls))
  const locks = new Map()
  const lockOf = (key, ttl) => createRedlock({ adapters, key, ttl, retryAttempts: 0 })
  return {
    name: 'redlock-universal',
    async take(key, ttl) {
      const lock = lockOf(key, ttl)
      const handle = await lock.acquire().catch(() => null)
      if (handle) locks.set(handle, lock)
      return handle
    },
    extend: (handle, ttl) =>
      locks
        .get(handle)
        .extend(handle, ttl)
        .catch(() => false),
    release: (handle) =>
      locks
        .get(handle)
        .release(handle)
        .catch(() => false),
    valueOf: (handle) => handle.value,
    adopt(key, value, ttl) {
      const handle = {
        id: 'adopted',
        key,
        value,
        acquiredAt: Date.now(),
        ttl,
        metadata: { attempts: 1, acquisitionTime: 0, strategy: 'redlock' },
      }
      locks.set(handle, lockOf(key, ttl))
      return handle
    },
  }
}

const others = {
  'redlock 4.2': redlock4,
  'redlock 5 beta': likeFive('redlock 5 beta', peers.redlock5),
  'sesamecare redlock': likeFive('sesamecare redlock', peers.sesamecare),
  'redlock-universal': universal,
}

module.exports = { quorlock, others, likeFive }
