// A bare connection to a node: sends one command, waits until the answer matches.

import { once } from 'node:events'
import { connect } from 'node:net'

export async function openWire({ host, port }) {
  const socket = connect({ host, port, noDelay: true })
  await once(socket, 'connect')
  let text = ''
  let waiting
  socket.on('data', (data) => {
    text += data.toString('latin1')
    const found = waiting?.pattern.exec(text)
    if (!found) return
    text = ''
    waiting.resolve(found)
  })
  return {
    ask: (pattern, line) =>
      new Promise((resolve) => {
        waiting = { pattern, resolve }
        socket.write(line)
      }),
    close: () => socket.destroy(),
  }
}
