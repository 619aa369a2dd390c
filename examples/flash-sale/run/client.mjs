// Talks to the shop over HTTP.

import { Agent, request as send } from 'node:http'

const LIMIT_MS = 60_000

export class Client {
  #url
  // Who waits has a connection of its own, as separate buyers have.
  #agent = new Agent({ keepAlive: true })

  constructor(url) {
    this.#url = url
  }

  get(path) {
    return this.#send('GET', path)
  }

  post(path, body, headers) {
    return this.#send('POST', path, body, headers)
  }

  close() {
    this.#agent.destroy()
  }

  /** Resolves with `{ status, body, retryAfter }`; rejects where there is no answer at all. */
  #send(method, path, body, headers = {}) {
    const json = body === undefined ? undefined : JSON.stringify(body)
    const content = json === undefined ? {} : { 'content-type': 'application/json' }
    return new Promise((resolve, reject) => {
      const options = { method, agent: this.#agent, headers: { ...content, ...headers }, timeout: LIMIT_MS }
      const request = send(`${this.#url}${path}`, options, async (response) => {
        try {
          let text = ''
          for await (const chunk of response.setEncoding('utf8')) text += chunk
          const isJson = response.headers['content-type']?.includes('json')
          const retryAfter = Number(response.headers['retry-after'] ?? Number.NaN)
          resolve({ status: response.statusCode, body: isJson ? JSON.parse(text) : text, retryAfter })
        } catch (error) {
          reject(error)
        }
      })
      request.once('timeout', () => request.destroy(new Error(`${method} ${path} was not answered in ${LIMIT_MS} ms`)))
      request.once('error', reject)
      request.end(json)
    })
  }
}
