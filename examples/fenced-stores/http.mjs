// An HTTP store that knows If-Match (RFC 9110, section 13.1.1) and nothing of tokens. The fence is part of the document
// that it protects; the client compares, and `If-Match` with the ETag of what it has compared makes comparing and
// writing one step: the server answers 412 to whoever writes over something else.

import { MissingItemError, StaleTokenError } from './errors.mjs'
import { checkToken } from './token.mjs'

/** How often a document may change between looking and writing: only for holders with smaller tokens, or with none. */
const ATTEMPTS = 10

export function open(url) {
  const address = (id) => `${url}/items/${encodeURIComponent(id)}`

  async function get(id) {
    const response = await fetch(address(id))
    if (response.status === 404) throw new MissingItemError(id)
    if (!response.ok) throw new Error(`GET ${address(id)} was answered with ${response.status}`)
    return { fence: 0, ...(await response.json()), etag: response.headers.get('etag') }
  }

  /** The new ETag, or null where the condition does not hold. */
  async function put(id, document, condition) {
    const headers = { 'content-type': 'application/json', ...condition }
    const response = await fetch(address(id), { method: 'PUT', headers, body: JSON.stringify(document) })
    await response.arrayBuffer() // to its end, so that the connection can be used again
    if (response.status === 412) return null
    if (!response.ok) throw new Error(`PUT ${address(id)} was answered with ${response.status}`)
    return response.headers.get('etag')
  }

  /** The document, unless a larger token has been there. */
  async function look(id, token) {
    const document = await get(id)
    if (document.fence > token) throw new StaleTokenError(id, token, document.fence)
    return document
  }

  const restless = (id) => new Error(`item "${id}" has changed ${ATTEMPTS} times between looking and writing`)

  return {
    fenced: {
      /** The document sees the token here already, and gets a new ETag by it: nobody can write with one read before. */
      async read(id, token) {
        checkToken(token)
        for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
          const { value, etag } = await look(id, token)
          const claimed = await put(id, { value, fence: token }, { 'if-match': etag })
          if (claimed) return { id, value, fence: token, etag: claimed }
        }
        throw restless(id)
      },

      /** A 412 to one's own earlier ETag is no refusal yet, since one holder may write often: the fence tells. */
      async write({ id, value, fence, etag }, token) {
        checkToken(token)
        let known = fence === token ? etag : undefined
        for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
          known ??= (await look(id, token)).etag
          if (await put(id, { value, fence: token }, { 'if-match': known })) return
          known = undefined
        }
        throw restless(id)
      },
    },

    unfenced: {
      async read(id) {
        const { value } = await get(id)
        return { id, value }
      },

      /** `*`: whatever is there, as long as there is something. */
      async write({ id, value }) {
        if (!(await put(id, { value }, { 'if-match': '*' }))) throw new MissingItemError(id)
      },
    },

    async create({ id, value }) {
      await put(id, { value, fence: 0 })
    },

    async close() {},
  }
}
