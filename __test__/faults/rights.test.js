'use strict'

// The rights that SECURITY.md asks for: no fewer are enough, each is used, and one that is missing is told.

const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const assert = require('node:assert/strict')
const { Cluster } = require('../support/cluster')
const { elsewhere, open } = require('../support/quorlock')
const { until, within } = require('../support/until')
const { warnings } = require('../support/warnings')

/**
 * Everything that a service does, by a user with these rights; refusals are looked for in the server's own log.
 * @returns what the service was told of them, and how the lock was given back
 */
async function useEverything(t, node, user, options) {
  const told = []
  const warned = warnings(t, 'DEGRADED')
  const app = { url: node.url, username: user, password: 'secret' }
  const key = (name) => `lock:${user}:${name}`
  const settled = (promise) =>
    within(20_000, promise).catch(({ votes = [] }) => {
      told.push(...votes.filter(({ code }) => code === 'NOPERM').map(({ message }) => message))
    })
  const redlock = open(t, [app], { clientName: 'name', ...options })
  const other = open(t, [app], { clientName: 'name', ...options, ...elsewhere })
  await settled(redlock.connect({ timeout: 300 }))
  const lock = await settled(redlock.acquire(key('a'), 5000, { wait: 0 }))
  await settled(lock?.extend(6000))
  const seen = await settled(redlock.inspect(key('a')))
  told.push(...(seen ?? []).flatMap(({ error }) => (error?.includes('NOPERM') ? [error] : [])))
  const waiting = lock && settled(other.acquire(key('a'), 5000, { wait: 1500 }))
  if (lock) await until(() => other.stats().waiting === 1)
  const many = await Promise.all(
    ['b', 'c', 'd', 'e'].map((name) => settled(redlock.acquire(key(name), 5000, { wait: 0 }))),
  )
  await Promise.all(many.map((one) => settled(one?.extend(6000))))
  await Promise.all(many.map((one) => settled(one?.release())))
  // Who waits is counted, and looks, on connections of its own.
  if (lock)
    await settled(
      until(async () => (await isCountedAt(node, key('a'))) || (await refusals(node, user)).length > 0, {
        deadline: 5000,
      }),
    )
  await node.command('SCRIPT', 'FLUSH')
  await settled(lock?.extend(7000))
  const released = await settled(lock?.release())
  const theirs = await waiting
  await settled(theirs?.release())
  // The last word of who has waited is that it waits no longer.
  await settled(
    until(async () => !(await isCountedAt(node, key('a'))) || (await refusals(node, user)).length > 0, {
      deadline: 5000,
    }),
  )
  await Promise.all([redlock.close({ timeout: 0 }), other.close({ timeout: 0 })])
  const ofNode = warned.filter((message) => message.startsWith(`${new URL(node.url).host}: `))
  return { told: [...told, ...ofNode], released }
}

const isCountedAt = async (node, key) => (await node.command('PUBSUB', 'NUMSUB', `${key}:quorlock:wake`))[1] > 0

async function refusals(node, user) {
  const entries = (await node.command('ACL', 'LOG', 10_000)).map((words) =>
    Object.fromEntries(words.flatMap((word, i) => (i % 2 === 0 ? [[word, words[i + 1]]] : []))),
  )
  return entries.filter((entry) => entry.username === user).map((entry) => entry.object)
}

for (const fencing of [false, true]) {
  test(`each right that the documentation asks for is used${fencing ? ', with fencing' : ''}`, async (t) => {
    const documented = fs.readFileSync(path.join(__dirname, '..', '..', 'SECURITY.md'), 'utf8')
    const [, line] = documented.match(/^ACL SETUSER \S+ on >\S+ (.+)$/m)
    // The scripts that a server knows are everybody's: each user has a server to itself.
    const cluster = await Cluster.start(6)
    t.after(() => cluster.stop())
    const nodes = cluster.servers
    for (const node of nodes) await node.command('CONFIG', 'SET', 'acllog-max-len', 10_000)
    const words = [...line.split(' '), ...(fencing ? ['+time'] : ['+delifeq', '+delex'])]
    const known = []
    for (const word of words) {
      if (await nodes[0].command('ACL', 'SETUSER', 'probe', word).catch(() => undefined)) known.push(word)
    }
    const use = async (node, user, rights) => {
      await node.command('ACL', 'SETUSER', user, 'on', '>secret', ...rights)
      const found = await useEverything(t, node, user, { fencing })
      return { ...found, refused: await refusals(node, user) }
    }
    assert.deepEqual(await use(nodes[0], 'all', known), { told: [], released: 'released', refused: [] })

    // For the release by the one command of its kind that the server has, and for fences, read otherwise.
    const hasOwn = known.includes('+delifeq') || known.includes('+delex')
    const unused = new Set([...(hasOwn ? ['+del'] : []), ...(fencing ? ['+get'] : [])])
    // Done without, as the documentation says.
    const dispensable = ['+client|setname', '+client|setinfo', '+evalsha', '+delifeq', '+delex']
    const untold = new Set([...dispensable, ...(fencing ? [] : ['+mget'])])
    const rights = known.filter((word) => word.startsWith('+') && !unused.has(word))
    assert.ok(rights.length > 15, rights.join())
    const checkNext = async (node) => {
      for (let right = rights.pop(); right !== undefined; right = rights.pop()) {
        const name = right.slice(1)
        const others = known.filter((word) => word !== right)
        const { refused, told, released } = await use(node, `without-${name.replace('|', '-')}`, others)
        // Redis 6.2 notes the command, and not which of its kind.
        assert.ok(refused.includes(name) || refused.includes(name.split('|')[0]), `${right} is not needed`)
        assert.ok(told.length > 0 || untold.has(right), `nobody is told that ${right} is missing`)
        const isKept = await node.command('EXISTS', `lock:without-${name.replace('|', '-')}:a`)
        assert.ok(!(released === 'released' && isKept), `without ${right} a lock is kept that was released`)
      }
    }
    await Promise.all(nodes.map(checkNext))
  })
}
