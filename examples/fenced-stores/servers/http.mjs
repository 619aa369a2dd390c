// A small document store over HTTP: GET and PUT, strong ETags, If-Match. It knows nothing of tokens and locks.

import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'

const HOST = '127.0.0.1'
const BODY_LIMIT_BYTES = 64 * 1024
const PATH = /^\/items\/[^/?]+$/

export async function startHttp() {
  const documents = new Map() // path → { body, etag }
  const server = createServer((request, response) => {
    answer(documents, request, response).catch((error) => response.destroy(error))
  })
  // A client that is suspended keeps its connection, as it does with the other servers.
  server.keepAliveTimeout = 0
  server.listen(0, HOST)
  await once(server, 'listening')
  return {
    url: `http://${HOST}:${server.address().port}`,
    async stop() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

async function answer(documents, request, response) {
  const reply = (status, headers = {}, body = undefined) => response.writeHead(status, headers).end(body)
  const path = request.url
  if (!PATH.test(path)) return reply(404)
  if (request.method === 'GET') {
    const document = documents.get(path)
    if (!document) return reply(404)
    return reply(200, { 'content-type': 'application/json', etag: document.etag }, document.body)
  }
  if (request.method !== 'PUT') return reply(405, { allow: 'GET, PUT' })

  const body = await read(request)
  if (!body) return reply(413)
  // From here on nothing is awaited: the condition is checked and the document written without anything in between.
  const before = documents.get(path)
  if (!matches(request.headers['if-match'], before)) return reply(412)
  const etag = `"${randomUUID()}"`
  documents.set(path, { body, etag })
  return reply(before ? 204 : 201, { etag })
}

/** Whether `If-Match` holds: not given, `*` for whatever exists, or one of the ETags in the list, all of them strong. */
function matches(condition, document) {
  if (condition === undefined) return true
  if (!document) return false
  return condition.trim() === '*' || condition.split(',').some((etag) => etag.trim() === document.etag)
}

/** The body, or null when it is too large; it is read to its end all the same, so that the answer arrives. */
async function read(request) {
  const chunks = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    if (size <= BODY_LIMIT_BYTES) chunks.push(chunk)
  }
  return size <= BODY_LIMIT_BYTES ? Buffer.concat(chunks) : null
}
