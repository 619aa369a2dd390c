'use strict'

// Nodes that are named: a name that stands for another address from now on, a resolver that never answers. The process
// has a view of its own of /etc/hosts and /etc/resolv.conf, for which it takes a mount namespace and root.

const { spawn, spawnSync } = require('node:child_process')
const dgram = require('node:dgram')
const { once } = require('node:events')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { Cluster } = require('../support/cluster')
const { RedisServer } = require('../support/redis-server')
const { uniqueKey } = require('../support/quorlock')
const { timed, until, within } = require('../support/until')

const SCRIPT = path.join(__dirname, 'fixtures', 'named.js')
/** Of this process alone: others may test the same at the same time. */
const RESOLVER = `127.53.${Math.floor(process.pid / 254) % 256}.${(process.pid % 254) + 1}`
const hasNamespaces = spawnSync('unshare', ['--mount', 'mount', '--bind', '/dev/null', '/etc/hosts']).status === 0
const skip = !hasNamespaces && 'a mount namespace takes root: the address behind a node changes in repointed.test.js'

/** A process for which the names are those of `hosts`, a function of nothing, and the resolver is at `nameserver`. */
class Named {
  #folder
  #messages = []

  constructor(t, urls, hosts, nameserver = '127.0.0.1') {
    this.#folder = fs.mkdtempSync(path.join(os.tmpdir(), 'quorlock-names-'))
    this.hosts(hosts)
    fs.writeFileSync(this.#file('resolv.conf'), `nameserver ${nameserver}\noptions timeout:5 attempts:2\n`)
    const mount = (name) => `mount --bind ${this.#file(name)} /etc/${name}`
    const words = ['--mount', 'sh', '-c', `${mount('hosts')} && ${mount('resolv.conf')} && exec "$@"`, 'sh']
    const stdio = ['ignore', 'inherit', 'inherit', 'ipc']
    this.process = spawn('unshare', [...words, process.execPath, SCRIPT, ...urls], { stdio })
    this.process.on('message', (message) => this.#messages.push(message))
    this.ended = once(this.process, 'exit')
    t.after(async () => {
      this.process.kill('SIGKILL')
      await this.ended
      fs.rmSync(this.#folder, { recursive: true })
    })
  }

  #file(name) {
    return path.join(this.#folder, name)
  }

  /** In place: the file that is mounted is this very one. */
  hosts(lines) {
    fs.writeFileSync(this.#file('hosts'), `127.0.0.1 localhost\n${lines.join('\n')}\n`)
  }

  async #answerTo(order) {
    const find = () => this.#messages.findIndex((message) => message.order === order)
    await until(() => find() >= 0, { what: `an answer to '${order}'` })
    return this.#messages.splice(find(), 1)[0]
  }

  ready() {
    return this.#answerTo('ready')
  }

  tell(...order) {
    this.process.send(order)
  }

  ask(...order) {
    this.tell(...order)
    return this.#answerTo(order[0])
  }

  stateIs(node, wanted) {
    return until(async () => wanted.test((await this.ask('states')).answer[node]), {
      every: 20,
      what: `node ${node} is ${wanted}`,
    })
  }
}

const urlOf = (name, { port }) => `redis://${name}:${port}`

describe('names', { concurrency: true, skip }, () => {
  async function servers(t, count) {
    const cluster = await Cluster.start(count)
    t.after(() => cluster.stop())
    return cluster.servers
  }

  test('a name that stands for another server from now on: it does not vote until keys have expired', async (t) => {
    const nodes = await servers(t, 3)
    const names = ['one.test', 'two.test', 'three.test']
    const urls = names.map((name, i) => urlOf(name, nodes[i]))
    const named = new Named(
      t,
      urls,
      names.map((name) => `127.0.0.1 ${name}`),
    )
    await named.ready()
    await named.stateIs(0, /^up/)
    const key = uniqueKey()
    const { answer: id } = await named.ask('hold', key)
    const other = await RedisServer.start({ port: nodes[0].port, args: ['--bind', '127.0.0.2'] })
    t.after(() => other.stop())
    named.hosts(['127.0.0.2 one.test', '127.0.0.1 two.test three.test'])
    await nodes[0].kill()
    await named.stateIs(0, /^quarantined/)
    assert.equal((await named.ask('cycle')).answer, 'released')
    await until(async () => (await other.command('GET', key)) === id, { what: 'it is filled' })
    await named.stateIs(0, /^up/)
    assert.equal((await named.ask('held')).answer, true)
  })

  test('a name that is not there is a fault of its node, and the node is found once it is', async (t) => {
    const nodes = await servers(t, 3)
    const urls = [nodes[0].url, nodes[1].url, urlOf('late.test', nodes[2])]
    // Nobody listens there: what /etc/hosts does not know is not found, at once.
    const named = new Named(t, urls, [])
    await named.ready()
    await named.stateIs(2, /^down CONNECT/)
    assert.equal((await named.ask('cycle')).answer, 'released')
    named.hosts(['127.0.0.1 late.test'])
    await named.stateIs(2, /^up/)
  })

  // One after the other: they share its address.
  describe('a resolver that never answers', { concurrency: false }, () => {
    async function silence(t) {
      const resolver = dgram.createSocket('udp4').bind(53, RESOLVER)
      await once(resolver, 'listening')
      let asked = 0
      resolver.on('message', () => (asked += 1))
      t.after(() => resolver.close())
      const nodes = await servers(t, 3)
      const urls = [nodes[0].url, nodes[1].url, urlOf('slow.test', nodes[2])]
      const named = new Named(t, urls, [], RESOLVER)
      await named.ready()
      await until(() => asked > 0, { what: 'it is asked' })
      return named
    }

    test('the other nodes and the event loop do not notice, and the node says that it times out', async (t) => {
      const named = await silence(t)
      for (let i = 0; i < 20; i++) {
        const { answer, ms } = await named.ask('cycle')
        assert.equal(answer, 'released')
        assert.ok(ms < 1000, `${ms} ms`)
      }
      await named.stateIs(2, /^down TIMEOUT/)
      const { blocked } = await named.ask('states')
      assert.ok(blocked < 1000, `the event loop was blocked for ${blocked} ms`)
    })

    test('close does not wait for it, nor does the end of the process', async (t) => {
      const named = await silence(t)
      await named.ask('cycle')
      const { ms } = await named.ask('close')
      assert.ok(ms < 1500, `close took ${ms} ms`)
      const end = await timed(() => {
        named.process.disconnect()
        return within(20_000, named.ended, 'the process')
      })
      assert.deepEqual(end.value, [0, null])
      assert.ok(end.ms < 2000, `it ended after ${end.ms} ms`)
    })

    test('nor does process.exit', async (t) => {
      const named = await silence(t)
      await named.ask('cycle')
      const end = await timed(() => {
        named.tell('exit')
        return within(20_000, named.ended, 'the process')
      })
      assert.deepEqual(end.value, [3, null])
      assert.ok(end.ms < 2000, `it ended after ${end.ms} ms`)
    })
  })
})
