'use strict'

// A server that says what a test wants it to say: for answers that no real one can be made to give.

const net = require('node:net')
const { once } = require('node:events')
const { parse } = require('./resp')

const bulk = (text) => `$${Buffer.byteLength(text)}\r\n${text}\r\n`

const PRIMARY = {
  server: 'run_id:0123456789abcdef\r\nuptime_in_seconds:100000\r\n',
  replication: 'role:master\r\n',
}

/** What a primary says that knows the handshake's commands. */
function answerHandshake([command, section]) {
  if (command === 'INFO') return bulk(PRIMARY[section] ?? '')
  if (command === 'SCRIPT') return bulk('0'.repeat(40))
  if (command === 'CLIENT') return '+OK\r\n'
  return `-ERR unknown command '${command}'\r\n`
}

class ScriptedServer {
  #server
  #sockets = new Set()
  #answer
  connections = 0

  constructor(answer) {
    this.#answer = answer
    this.#server = net.createServer((socket) => this.#serve(socket))
  }

  /** `answer(words)` gives the bytes of one reply; undefined leaves it to the handshake of a primary. */
  static async start(t, answer) {
    const scripted = new ScriptedServer(answer)
    scripted.#server.listen(0, '127.0.0.1')
    await once(scripted.#server, 'listening')
    t.after(() => scripted.#stop())
    return scripted
  }

  get url() {
    return `redis://127.0.0.1:${this.#server.address().port}`
  }

  #serve(socket) {
    this.connections += 1
    this.#sockets.add(socket)
    let text = ''
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      for (let command = text && parse(text, 0); command; command = text && parse(text, 0)) {
        text = text.slice(command.next)
        socket.write(this.#answer(command.value) ?? answerHandshake(command.value), 'latin1')
      }
    })
  }

  #stop() {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }
}

module.exports = { ScriptedServer }
