'use strict'

const { test } = require('node:test')
const assert = require('node:assert/strict')
const { load, recipe } = require('./recipe')

const fetchItself = globalThis.fetch

recipe('http', async () => (await load('servers/http.mjs')).startHttp(), more)

function more(use) {
  const address = (id) => `${use.url}/items/${encodeURIComponent(id)}`

  const put = (id, condition, body = '{"value":1}') =>
    fetch(address(id), { method: 'PUT', headers: condition && { 'if-match': condition }, body })

  test('it is the server that refuses: 412 for an ETag from before a later claim, which a blind write ignores', async () => {
    const id = await use.item()
    const { etag } = await use.store.fenced.read(id, 10)
    await use.store.fenced.read(id, 11)
    assert.equal((await put(id, etag)).status, 412)
    assert.equal((await use.store.unfenced.read(id)).value, 100)
    assert.equal((await put(id)).status, 204)
    assert.equal((await use.store.unfenced.read(id)).value, 1)
  })

  /** What happens between a look at the document and the PUT that follows, `times` times. */
  function beforePuts(t, times, call) {
    let left = times
    t.after(() => {
      globalThis.fetch = fetchItself
    })
    globalThis.fetch = async (...request) => {
      if (request[1]?.method === 'PUT' && left > 0) {
        const now = left
        left = 0 // the call's own requests go through
        await call()
        left = now - 1
      }
      return fetchItself(...request)
    }
  }

  test('a later claim between the look and the claim is seen', async (t) => {
    const id = await use.item()
    beforePuts(t, 1, () => use.store.fenced.read(id, 11))
    await assert.rejects(use.store.fenced.read(id, 10), use.stale(id, 10, 11))
  })

  test('a later claim between the look and the write is seen', async (t) => {
    const id = await use.item()
    beforePuts(t, 1, () => use.store.fenced.read(id, 11))
    await assert.rejects(use.store.fenced.write({ id, value: 1 }, 10), use.stale(id, 10, 11))
    assert.equal((await use.store.unfenced.read(id)).value, 100)
  })

  test('an earlier write in between is read; one after the other, for ten times', async (t) => {
    const id = await use.item()
    let value = 0
    beforePuts(t, 9, () => use.store.fenced.write({ id, value: ++value }, 10))
    assert.equal((await use.store.fenced.read(id, 11)).value, 9)
    beforePuts(t, 10, () => use.store.unfenced.write({ id, value: ++value }))
    const restless = { message: `item "${id}" has changed 10 times between looking and writing` }
    await assert.rejects(use.store.fenced.read(id, 12), restless)
    assert.equal((await use.store.unfenced.read(id)).value, 19)
  })

  test('If-Match: one of several, and *; not another, a weak one, or anything where nothing is', async () => {
    const id = await use.item()
    const { etag } = await use.store.fenced.read(id, 10)
    assert.equal((await put(id, `W/${etag}`)).status, 412)
    assert.equal((await put(id, '"other"')).status, 412)
    const written = await put(id, `"other", ${etag}`)
    assert.equal(written.status, 204)
    assert.notEqual(written.headers.get('etag'), etag)
    assert.equal((await put(id, etag)).status, 412)
    assert.equal((await put(id, '*')).status, 204)
    assert.equal((await put('nothing', '*')).status, 412)
    assert.equal((await put('nothing', etag)).status, 412)
    assert.equal((await put('nothing')).status, 201)
  })

  test('what is no document of the store', async () => {
    const id = await use.item()
    assert.equal((await fetch(`${use.url}/elsewhere`)).status, 404)
    assert.equal((await fetch(address(id), { method: 'DELETE' })).status, 405)
    assert.equal((await put(id, '*', 'x'.repeat(64 * 1024))).status, 204)
    assert.equal((await put(id, '*', 'x'.repeat(64 * 1024 + 1))).status, 413)
  })
}
