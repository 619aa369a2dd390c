// One address in front of several processes, in turn. A process that refuses the connection is passed over; one that
// ends in the middle of a request is answered for with 503, since nobody knows what became of it: who sends the same
// idempotency key again learns it, and who had none is not told to come again.

import { once } from 'node:events'
import { Agent, createServer, request as send } from 'node:http'

const HOST = '127.0.0.1'
/** Buyers come back after seconds: none must send into a connection that is just being closed. */
const KEEP_ALIVE_MS = 60_000
/** A process that is suspended answers nothing. The live page's stream says something twice a second. */
const SILENCE_LIMIT_MS = 45_000
/** Connections that the kernel keeps until they are accepted, where it allows so many: all buyers come at once. */
const BACKLOG = 4096
const READS = new Set(['GET', 'HEAD'])
const NEVER_REACHED = new Set(['ECONNREFUSED', 'EADDRNOTAVAIL'])

/** `targets()` gives the ports at this moment. */
export async function startProxy(targets, { port = 0, silenceLimitMs = SILENCE_LIMIT_MS } = {}) {
  const agent = new Agent({ keepAlive: true })
  let turn = 0

  const server = createServer(async (request, response) => {
    try {
      const chunks = []
      for await (const chunk of request) chunks.push(chunk)
      const ports = targets()
      const from = turn++
      for (let i = 0; i < ports.length; i++) {
        if (await pass(ports[(from + i) % ports.length], request, Buffer.concat(chunks), response)) return
      }
      unavailable(response)
    } catch {
      const isRepeatable = READS.has(request.method) || request.headers['idempotency-key'] !== undefined
      unavailable(response, isRepeatable)
    }
  })

  /** False where the process was not reached, so that another may be asked. */
  function pass(port, { method, url, headers }, body, response) {
    return new Promise((resolve, reject) => {
      const onward = send({ host: HOST, port, method, path: url, headers, agent }, (answer) => {
        response.writeHead(answer.statusCode, answer.headers)
        answer.pipe(response)
        answer.once('error', () => response.destroy())
        resolve(true)
      })
      onward.setTimeout(silenceLimitMs, () => onward.destroy(new Error('no answer in time')))
      onward.once('error', (error) => (NEVER_REACHED.has(error.code) ? resolve(false) : reject(error)))
      response.once('close', () => !response.writableFinished && onward.destroy())
      onward.end(body)
    })
  }

  server.keepAliveTimeout = KEEP_ALIVE_MS
  server.listen({ port, host: HOST, backlog: BACKLOG })
  await once(server, 'listening')
  return {
    url: `http://${HOST}:${server.address().port}`,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      agent.destroy()
      await closed
    },
  }
}

function unavailable(response, isRepeatable = true) {
  if (response.headersSent) return response.destroy()
  const advice = isRepeatable ? 'come again' : 'this may have come to pass, look first'
  const body = { statusCode: 503, code: 'UNREACHABLE', message: `no process has answered; ${advice}` }
  const headers = { 'content-type': 'application/json', ...(isRepeatable ? { 'retry-after': '1' } : {}) }
  response.writeHead(503, headers).end(JSON.stringify(body))
}
