'use strict'

// Who the node is: a replica, a server that is listed twice, one that still loads, one that wants a password or gives
// us too few rights; and keys that hold something else than a lock.

const fs = require('node:fs')
const path = require('node:path')
const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { Cluster } = require('../support/cluster')
const { unavailable, works } = require('./fault')
const { allUp, elsewhere, open, uniqueKey, LockError } = require('../support/quorlock')
const { timed, until, within } = require('../support/until')

async function servers(t, count, options) {
  const cluster = await Cluster.start(count, options)
  t.after(() => cluster.stop())
  return cluster.servers
}

async function server(t, options) {
  return (await servers(t, 1, options))[0]
}

const urls = (...nodes) => nodes.map((node) => node.url)
const namesOf = (redlock, ...at) => at.map((i) => ({ name: redlock.stats().nodes[i].name }))
const ask = (redlock) => () => redlock.acquire(uniqueKey(), 5000, { wait: 0 })

describe('roles', { concurrency: true }, () => {
  test('a replica casts no vote', async (t) => {
    const master = await server(t)
    const replica = await server(t, { replicaOf: master.port })
    const other = await server(t)
    const redlock = open(t, urls(master, replica, other))
    await until(() => redlock.stats().nodes[1].state === 'down')
    await works(redlock)
    await other.kill()
    await unavailable(ask(redlock), { code: 'NOT_MASTER' }, namesOf(redlock, 1))
  })

  test('a replica that becomes a master gets its vote', async (t) => {
    const master = await server(t)
    const promoted = await server(t, { replicaOf: master.port })
    const redlock = open(t, promoted.url)
    await unavailable(ask(redlock), { code: 'NOT_MASTER' }, namesOf(redlock, 0))
    await promoted.command('REPLICAOF', 'NO', 'ONE')
    const lock = await redlock.acquire(uniqueKey(), 5000, { wait: 20_000 })
    assert.equal(await lock.release(), 'released')
  })

  test('two addresses of one server are one vote', async (t) => {
    const [one, other] = await servers(t, 2)
    const redlock = open(t, [one.url, `redis://localhost:${one.port}`, other.url])
    await works(redlock)
    await until(() => redlock.stats().nodes.some((node) => node.state === 'down'))
    await other.kill()
    const { error } = await timed(ask(redlock))
    assert.equal(error.code, 'ERR_QUORUM_UNAVAILABLE')
    const codes = error.votes.map((vote) => vote.code)
    assert.ok(codes.includes('DUPLICATE') && codes.includes('CONNECT'), error.message)
  })

  test('three addresses of one server are no quorum', async (t) => {
    const one = await server(t)
    const redlock = open(t, [one.url, `redis://localhost:${one.port}`, `unix://${one.socket}`])
    const { error } = await timed(ask(redlock))
    assert.equal(error?.code, 'ERR_QUORUM_UNAVAILABLE')
    assert.equal(error.votes.filter((vote) => vote.code === 'DUPLICATE').length, 2, error.message)
  })

  test('two databases of one server are one vote too', async (t) => {
    const one = await server(t)
    const redlock = open(t, [`${one.url}/0`, `${one.url}/1`])
    const { error } = await timed(ask(redlock))
    assert.equal(error?.code, 'ERR_QUORUM_UNAVAILABLE')
    assert.equal(error.votes.filter((vote) => vote.code === 'DUPLICATE').length, 1, error.message)
  })

  test('a server that still loads its data', async (t) => {
    const slow = await server(t, { args: ['--rdbcompression', 'no'] })
    const others = await servers(t, 2)
    // A loading server answers whenever it has read another 2 MiB: here after each key.
    await slow.command('EVAL', "for i = 1, 40 do redis.call('SET', 'k' .. i, string.rep('x', 2200000)) end", 0)
    await slow.command('SAVE')
    await slow.kill()
    // A pause of 200 ms per key: about eight seconds, unless it is told to hurry.
    await slow.launch({ loading: true, args: ['--key-load-delay', 200_000] })
    const redlock = open(t, urls(slow, ...others), { nodeTimeout: 3000, connectTimeout: 10_000 })
    await works(redlock)
    await others[0].kill()
    await unavailable(ask(redlock), { code: 'LOADING' }, namesOf(redlock, 0))
    // Redis 6.2 takes no settings while it loads, and its eight seconds.
    await slow.command('CONFIG', 'SET', 'key-load-delay', 0).catch(() => {})
    const lock = await redlock.acquire(uniqueKey(), 5000, { wait: 30_000 })
    assert.equal(await lock.release(), 'released')
  })
})

describe('passwords and rights', { concurrency: true }, () => {
  test('no password where one is wanted, and a wrong one', async (t) => {
    const closed = await server(t, { password: 'open sesame' })
    const others = await servers(t, 2)
    for (const node of [closed.url, { url: closed.url, password: 'open barley' }]) {
      const redlock = open(t, [node, ...urls(...others)])
      await works(redlock)
      const alone = open(t, [node])
      const error = await unavailable(ask(alone), { code: 'AUTH' }, namesOf(alone, 0))
      assert.ok(!error.message.includes('barley'), error.message)
    }
    const right = open(t, [{ url: closed.url, password: 'open sesame' }, ...urls(...others)])
    await works(right)
  })

  test('the password in the URL, percent-encoded', async (t) => {
    const closed = await server(t, { password: 'p@ss:w/rd%' })
    const redlock = open(t, `redis://:${encodeURIComponent('p@ss:w/rd%')}@127.0.0.1:${closed.port}`)
    await works(redlock)
  })

  const acl = (rights) => ({ aclfile: `user default on nopass ~* &* +@all\nuser app on >secret ${rights}\n` })
  const asApp = (node) => ({ url: node.url, username: 'app', password: 'secret' })

  test('a user with the rights the documentation asks for', async (t) => {
    const documented = fs.readFileSync(path.join(__dirname, '..', '..', 'SECURITY.md'), 'utf8')
    let [, rights] = documented.match(/^ACL SETUSER \S+ on >\S+ (.+)$/m)
    const optional = '+client|setinfo'
    const nodes = await servers(t, 3)
    // As documented: left out where the server does not know the name.
    const isKnown = await nodes[0].command('ACL', 'SETUSER', 'probe', optional).catch(() => undefined)
    if (!isKnown) rights = rights.replace(optional, '')
    // As documented: added where the server knows it.
    for (const native of ['+delifeq', '+delex']) {
      const isNative = await nodes[0].command('ACL', 'SETUSER', 'probe', native).catch(() => undefined)
      if (isNative) rights += ` ${native}`
    }
    for (const node of nodes) await node.command('ACL', 'SETUSER', 'app', 'on', '>secret', ...rights.trim().split(/ +/))
    const redlock = await allUp(t, nodes.map(asApp))
    const lock = await redlock.acquire('lock:a', 5000)
    await lock.extend(6000)
    await redlock.inspect('lock:a')
    // Another process waits, and is told of the release.
    const other = await allUp(t, nodes.map(asApp), elsewhere)
    const waiting = other.acquire('lock:a', 5000, { wait: 120_000, retryDelay: 100_000 })
    const isCounted = async (node) => (await node.command('PUBSUB', 'NUMSUB', 'lock:a:quorlock:wake'))[1] === 1
    for (const node of nodes) await until(() => isCounted(node), { what: 'it waits' })
    assert.equal(await lock.release(), 'released')
    const theirs = await within(5000, waiting, 'who waits')
    assert.equal(await theirs.release(), 'released')
    // Nothing that was asked for was refused, not even what can be done without.
    for (const node of nodes) {
      const refused = (await node.command('ACL', 'LOG')).map((entry) => entry[entry.indexOf('object') + 1])
      assert.deepEqual(
        refused.filter((what) => isKnown || what !== 'client|setinfo'),
        [],
      )
    }
  })

  test('a user without the right to the key', async (t) => {
    const nodes = await servers(t, 3, acl('~lock:* &* +@all'))
    const redlock = open(t, nodes.map(asApp))
    const good = await redlock.acquire('lock:a', 5000)
    assert.equal(await good.release(), 'released')
    await unavailable(
      () => redlock.acquire('other:a', 5000, { wait: 0 }),
      { code: 'NOPERM' },
      namesOf(redlock, 0, 1, 2),
    )
  })

  test('a user that may not look at INFO still works', async (t) => {
    const nodes = await servers(t, 3, acl('~* &* +@all -info'))
    await works(open(t, nodes.map(asApp)))
  })

  test('a wrong user', async (t) => {
    const node = await server(t, acl('~* &* +@all'))
    const redlock = open(t, [{ url: node.url, username: 'nobody', password: 'secret' }])
    await unavailable(ask(redlock), { code: 'AUTH' }, namesOf(redlock, 0))
  })
})

describe('a node that stays faulty', { concurrency: true }, () => {
  test('is tried again and again, and announced once', async (t) => {
    const closed = await server(t, { password: 'open sesame' })
    const master = await server(t)
    const replica = await server(t, { replicaOf: master.port })
    const gone = await server(t)
    await gone.kill()
    for (const node of [closed, replica, gone]) {
      const redlock = open(t, [...urls(...(await servers(t, 2))), node.url])
      const changes = []
      redlock.on('nodeDown', ({ node: name, error }) => changes.push(`down ${name} ${error.code}`))
      redlock.on('nodeUp', ({ node: name }) => changes.push(`up ${name}`))
      // Several tries to connect, whose pauses double from 20 ms.
      const end = performance.now() + 700
      while (performance.now() < end) await works(redlock)
      const about = () => changes.filter((change) => change.includes(`:${node.port}`))
      await until(() => about().length > 0, { what: 'the node is announced down' })
      assert.equal(about().length, 1, about().join())
      assert.match(about()[0], /^down .+ (AUTH|NOT_MASTER|CONNECT)$/)
    }
  })
})

describe('keys that hold something else', { concurrency: true }, () => {
  for (const [what, words] of [
    ['a list', ['RPUSH', 'x']],
    ['a hash of another lock library', ['HSET', 'owner', '1']],
    ['a value without a ttl', ['SET', 'a customer record']],
  ]) {
    test(`${what} is not a lock, and stays as it is`, async (t) => {
      const nodes = await servers(t, 3)
      // The answers of all nodes have to come within the short wait.
      const redlock = await allUp(t, urls(...nodes))
      const key = uniqueKey()
      const [command, ...value] = words
      for (const node of nodes) await node.command(command, key, ...value)
      const before = await Promise.all(nodes.map((node) => node.command('DUMP', key)))
      const { error } = await timed(() => redlock.acquire(key, 5000, { wait: 100 }))
      assert.ok(error instanceof LockError, String(error))
      assert.ok(
        error.votes.some((vote) => vote.code === 'NOT_A_LOCK'),
        error.message,
      )
      assert.match(error.message, /NOT_A_LOCK|not a lock/)
      assert.ok(error.votes.every((vote) => vote.vote !== 'granted'))
      assert.equal(await redlock.tryAcquire(key, 5000).catch(() => null), null)
      assert.deepEqual(await Promise.all(nodes.map((node) => node.command('DUMP', key))), before)
      const [inspected] = await redlock.inspect(key)
      assert.ok(inspected.held || inspected.error, 'not called free')
    })
  }

  test('the same on one node of three is only one vote', async (t) => {
    const nodes = await servers(t, 3)
    const redlock = open(t, urls(...nodes))
    const key = uniqueKey()
    await nodes[0].command('RPUSH', key, 'x')
    const lock = await redlock.acquire(key, 5000, { wait: 0 })
    await lock.extend(6000)
    assert.equal(await lock.release(), 'released')
    assert.equal(await nodes[0].command('TYPE', key), 'list')
  })
})
