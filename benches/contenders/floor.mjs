// The floor: what three nodes and Node's own sockets can do when nothing is left of a lock but its bytes.
// Every command is packed before the window, a slot's next command is written when a quorum has answered its
// last one, and replies are only counted. No promise, no lock object, no decision per command.

import { connect } from 'node:net'

const RELEASE = "if redis.call('get',KEYS[1])==ARGV[1] then return redis.call('del',KEYS[1]) else return 0 end"
const ID = '0123456789abcdef0123456789abcdef'
const LINE_FEED = 10
const isBadReply = new Uint8Array(256)
for (const byte of Buffer.from('-$0')) isBadReply[byte] = 1 // an error, a nil (refused), the 0 of `:0` (not ours)

export async function open({ nodes, ttl }) {
  const sockets = await Promise.all(nodes.map(openSocket))
  const sha = await loadScript(sockets)
  const quorum = (nodes.length >> 1) + 1

  return {
    measure: (depth, settleMs, windowMs, recorder) =>
      measure({ sockets, quorum, ring: packRing(depth, ttl, sha), depth, settleMs, windowMs, recorder }),
    close: () => {
      for (const socket of sockets) socket.destroy()
    },
  }
}

/** Command i of the endless sequence SET 0..depth-1, EVALSHA 0..depth-1, SET 0.. starts at offsets[i % (2 * depth)]. */
function packRing(depth, ttl, sha) {
  const keys = Array.from({ length: depth }, (_, slot) => `bench:floor:${slot}`)
  const commands = [
    ...keys.map((key) => pack('SET', key, ID, 'NX', 'PX', ttl)),
    ...keys.map((key) => pack('EVALSHA', sha, 1, key, ID)),
  ]
  const offsets = [0]
  for (const command of commands) offsets.push(offsets.at(-1) + command.length)
  return { bytes: Buffer.concat(commands), offsets, length: commands.length }
}

function pack(...words) {
  const parts = words.map((word) => `$${Buffer.byteLength(String(word))}\r\n${word}\r\n`)
  return Buffer.from(`*${words.length}\r\n${parts.join('')}`)
}

function measure({ sockets, quorum, ring, depth, settleMs, windowMs, recorder }) {
  const { bytes, offsets, length } = ring
  const answered = new Array(sockets.length).fill(0)
  const sentAt = new Float64Array(length)
  let sent = 0
  let decided = 0
  let last = Number.POSITIVE_INFINITY // where the sequence ends, once the window is over

  const send = (count) => {
    const now = performance.now()
    for (let left = count; left > 0; ) {
      const from = sent % length
      const run = Math.min(left, length - from)
      sentAt.fill(now, from, from + run)
      const chunk = bytes.subarray(offsets[from], offsets[from + run])
      for (const socket of sockets) socket.write(chunk)
      sent += run
      left -= run
    }
  }

  // The quorum-th largest count says how many commands of the sequence a quorum has answered.
  const decide = () => {
    const target = answered.toSorted((a, b) => b - a)[quorum - 1]
    const now = performance.now()
    for (let i = decided; i < target; i++) {
      const at = i % length
      if (at < depth) recorder.acquired(now - sentAt[at])
      else recorder.released()
    }
    const fresh = target - decided
    decided = target
    return fresh
  }

  return new Promise((resolve, reject) => {
    const listeners = sockets.map((socket, i) => {
      const onData = (chunk) => {
        for (let at = 0; at < chunk.length; at++) {
          if (chunk[at] === LINE_FEED) answered[i]++
          else if (isBadReply[chunk[at]]) return reject(new Error(`the floor got a bad reply: ${chunk}`))
        }
        send(Math.min(decide(), last - sent))
        if (answered.every((count) => count === last)) finish()
      }
      socket.on('data', onData)
      return () => socket.off('data', onData)
    })
    const finish = () => {
      for (const off of listeners) off()
      resolve()
    }
    setTimeout(() => {
      recorder.begin()
      setTimeout(() => {
        recorder.end()
        last = Math.ceil(sent / length) * length // every slot finishes its cycle, so that no key stays behind
      }, windowMs)
    }, settleMs)
    send(depth)
  })
}

function openSocket({ host, port }) {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true }, () => resolve(socket))
    socket.once('error', reject)
  })
}

async function loadScript(sockets) {
  const shas = await Promise.all(
    sockets.map(
      (socket) =>
        new Promise((resolve) => {
          socket.once('data', (reply) => resolve(reply.toString().split('\r\n')[1]))
          socket.write(pack('SCRIPT', 'LOAD', RELEASE))
        }),
    ),
  )
  return shas[0]
}
