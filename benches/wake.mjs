// How a release should wake who waits elsewhere: a message on a channel for each key, or the invalidation that a server
// sends to clients which track a key (RESP3). For both: what a release costs the server when nobody waits, and how long
// a waiter takes to hear of a release by us, and of one by another library.
//
// `npm run wake` in this folder prints a table. Raw sockets, so that no client library is measured.

import { once } from 'node:events'
import { connect } from 'node:net'
import { median } from './medians.mjs'
import { redisVersion, startServers } from './servers.mjs'

const ROUNDS = 7
const RELEASES = 20_000
const WAKES = 600

const COMPARE = `if redis.pcall('GET', KEYS[1]) ~= ARGV[1] then return 0 end `
const SILENT = `${COMPARE}return redis.call('DEL', KEYS[1])`
const PUBLISHES = `${COMPARE}redis.call('DEL', KEYS[1]) redis.pcall('PUBLISH', KEYS[1]..':quorlock:wake', '') return 1`

class Client {
  static async open({ host, port }) {
    const client = new Client()
    client.socket = connect(port, host)
    client.socket.setNoDelay(true)
    client.socket.on('data', (data) => client.#read(data.toString('latin1')))
    await once(client.socket, 'connect')
    return client
  }

  text = ''
  waiting = []

  #read(data) {
    this.text += data
    this.waiting = this.waiting.filter(({ pattern, resolve }) => {
      const found = pattern.exec(this.text)
      if (found) resolve(found[0])
      return !found
    })
  }

  /** Sends commands and waits until the answers match. */
  ask(pattern, ...commands) {
    this.text = ''
    this.socket.write(commands.map(pack).join(''))
    return this.heard(pattern)
  }

  heard(pattern) {
    return new Promise((resolve) => {
      this.waiting.push({ pattern, resolve })
      this.#read('')
    })
  }
}

const pack = (words) =>
  `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`

async function serverMicros(client) {
  const info = await client.ask(/used_cpu_user:[\d.]+/, ['INFO', 'cpu'])
  const system = /used_cpu_sys:([\d.]+)/.exec(client.text)[1]
  return (Number(/[\d.]+/.exec(info)[0]) + Number(system)) * 1e6
}

/** Server time of one SET and one release, in µs. */
async function cost(client, script) {
  const batch = []
  for (let i = 0; i < RELEASES; i += 1) {
    batch.push(['SET', `k${i}`, 'id', 'NX', 'PX', '5000'], ['EVAL', script, '1', `k${i}`, 'id'])
  }
  const before = await serverMicros(client)
  await client.ask(/PONG/, ...batch, ['PING'])
  return ((await serverMicros(client)) - before) / RELEASES
}

/** From the moment a release is sent until the waiter has heard of it, in µs. */
async function wake(holder, waiter, { arm, message, release }) {
  await holder.ask(/OK/, ['SET', 'hot', 'id', 'PX', '60000'])
  await arm(waiter)
  waiter.text = ''
  const heard = waiter.heard(message)
  const since = process.hrtime.bigint()
  holder.socket.write(pack(release))
  await heard
  return Number(process.hrtime.bigint() - since) / 1000
}

const servers = await startServers(1)
try {
  const [holder, subscriber, tracker, pinger] = await Promise.all(
    Array.from({ length: 4 }, () => Client.open(servers.nodes[0])),
  )
  const costs = { silent: [], channels: [], tracking: [] }
  const delays = { ping: [], channels: [], tracking: [], foreign: [] }
  for (let round = 0; round < ROUNDS; round += 1) {
    costs.silent.push(await cost(holder, SILENT))
    costs.channels.push(await cost(holder, PUBLISHES))
    if (round === 0) {
      await tracker.ask(/proto/, ['HELLO', '3'])
      await tracker.ask(/OK/, ['CLIENT', 'TRACKING', 'ON'])
      await subscriber.ask(/subscribe/, ['SUBSCRIBE', 'hot:quorlock:wake'])
    }
    await tracker.ask(/:-?\d+/, ['PTTL', 'another'])
    costs.tracking.push(await cost(holder, SILENT))
    await tracker.ask(/OK/, ['CLIENT', 'TRACKING', 'OFF'])
    await tracker.ask(/OK/, ['CLIENT', 'TRACKING', 'ON'])
    for (let i = 0; i < WAKES; i += 1) {
      const since = process.hrtime.bigint()
      await pinger.ask(/PONG/, ['PING'])
      delays.ping.push(Number(process.hrtime.bigint() - since) / 1000)
      const channel = { arm: async () => {}, message: /message/, release: ['EVAL', PUBLISHES, '1', 'hot', 'id'] }
      delays.channels.push(await wake(holder, subscriber, channel))
      const arm = () => tracker.ask(/:\d+\r\n/, ['PTTL', 'hot'])
      const message = /invalidate/
      delays.tracking.push(await wake(holder, tracker, { arm, message, release: ['EVAL', SILENT, '1', 'hot', 'id'] }))
      delays.foreign.push(await wake(holder, tracker, { arm, message, release: ['DEL', 'hot'] }))
    }
  }
  console.log(`redis-server ${redisVersion()}, Node.js ${process.version}; medians\n`)
  console.log('server time for one SET and one release, nobody waiting for the key')
  console.log(`  release only                          ${median(costs.silent).toFixed(2)} us`)
  console.log(`  release that publishes                ${median(costs.channels).toFixed(2)} us`)
  console.log(`  release only, a client tracks others  ${median(costs.tracking).toFixed(2)} us\n`)
  console.log('from a release until a waiter has heard of it')
  console.log(`  one PING, for comparison              ${median(delays.ping).toFixed(0)} us`)
  console.log(`  channel                               ${median(delays.channels).toFixed(0)} us`)
  console.log(`  invalidation                          ${median(delays.tracking).toFixed(0)} us`)
  console.log(`  invalidation, released by a plain DEL ${median(delays.foreign).toFixed(0)} us`)
  console.log('  channel, released by a plain DEL      never: nothing is published')
  for (const client of [holder, subscriber, tracker, pinger]) client.socket.destroy()
} finally {
  servers.close()
}
