'use strict'

// A raw Redis client for assertions. It shares no code with the client under test, so a test that looks at a key
// through it sees what the server holds and not what the library believes.

const net = require('node:net')
const tls = require('node:tls')

class ReplyError extends Error {}

/** One reply from `text` (latin1) at `at`: `{ value, next }`, or undefined when it is not complete yet. */
function parse(text, at) {
  const end = text.indexOf('\r\n', at)
  if (end < 0) return undefined
  const line = text.slice(at + 1, end)
  const next = end + 2
  switch (text[at]) {
    case '+':
      return { value: line, next }
    case '-':
      return { value: new ReplyError(line), next }
    case ':':
      return { value: Number(line), next }
    case '$': {
      const length = Number(line)
      if (length < 0) return { value: null, next }
      if (text.length < next + length + 2) return undefined
      return { value: Buffer.from(text.slice(next, next + length), 'latin1').toString(), next: next + length + 2 }
    }
    case '*': {
      if (Number(line) < 0) return { value: null, next }
      const value = []
      let position = next
      for (let i = 0; i < Number(line); i++) {
        const item = parse(text, position)
        if (!item) return undefined
        value.push(item.value)
        position = item.next
      }
      return { value, next: position }
    }
    default:
      throw new Error(`not a reply: ${JSON.stringify(text.slice(at, at + 40))}`)
  }
}

/** The bytes of one command. */
function encode(words) {
  const parts = [`*${words.length}\r\n`]
  for (const word of words) {
    const text = String(word)
    parts.push(`$${Buffer.byteLength(text)}\r\n${text}\r\n`)
  }
  return parts.join('')
}

class RespClient {
  #socket
  #text = ''
  #waiting = []
  #idle = false

  /** `where`: `{ port, host?, path?, tls?, username?, password? }`. */
  static async connect(where) {
    const client = new RespClient()
    await client.#open(where)
    if (where.password) await client.command('AUTH', ...(where.username ? [where.username] : []), where.password)
    return client
  }

  #open(where) {
    return new Promise((resolve, reject) => {
      const target = where.path ? { path: where.path } : { host: where.host ?? '127.0.0.1', port: where.port }
      const socket = where.tls ? tls.connect({ ...target, ...where.tls }) : net.connect(target)
      this.#socket = socket
      socket.once(where.tls ? 'secureConnect' : 'connect', resolve)
      socket.on('data', (chunk) => this.#read(chunk))
      socket.on('error', (error) => {
        reject(error)
        this.#fail(error)
      })
      socket.on('close', () => this.#fail(new Error('connection closed')))
    })
  }

  #read(chunk) {
    this.#text += chunk.toString('latin1')
    for (;;) {
      const reply = this.#text && parse(this.#text, 0)
      if (!reply) return
      this.#text = this.#text.slice(reply.next)
      const waiter = this.#waiting.shift()
      if (this.#idle && this.#waiting.length === 0) this.#socket.unref()
      if (reply.value instanceof ReplyError) waiter?.reject(reply.value)
      else waiter?.resolve(reply.value)
    }
  }

  get closed() {
    return this.#socket.destroyed
  }

  #fail(error) {
    for (const waiter of this.#waiting.splice(0)) waiter.reject(error)
  }

  command(...words) {
    return new Promise((resolve, reject) => {
      if (this.closed) throw new Error('connection closed')
      this.#waiting.push({ resolve, reject })
      if (this.#idle) this.#socket.ref()
      this.#socket.write(encode(words))
    })
  }

  /** Commands as they were once sent, for instance; resolves with the first reply. */
  send(bytes) {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#socket.write(bytes)
    })
  }

  /** Keeps the process alive only while a reply is awaited: for clients that live as long as a server does. */
  unref() {
    this.#idle = true
    this.#socket.unref()
    return this
  }

  close() {
    this.#socket.destroy()
  }
}

module.exports = { RespClient, ReplyError, encode, parse }
