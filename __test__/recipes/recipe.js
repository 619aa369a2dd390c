'use strict'

// What every store of examples/fenced-stores has to do, against a real server: refuse tokens that are too small and lose
// nothing; and, without the token, lose the very update that the token saves.

const { createRequire } = require('node:module')
const path = require('node:path')
const { pathToFileURL } = require('node:url')
const { before, describe, test } = require('node:test')
const assert = require('node:assert/strict')
const { useCluster } = require('../support/cluster')
const { uniqueKey } = require('../support/quorlock')
const { suiteScope } = require('../support/suite')

const FOLDER = path.join(__dirname, '..', '..', 'examples', 'fenced-stores')
const LARGEST = Number.MAX_SAFE_INTEGER

/** What the example depends on. */
const requireClient = createRequire(path.join(FOLDER, 'package.json'))

/** One file of the example. */
async function load(file) {
  try {
    return await import(pathToFileURL(path.join(FOLDER, file)).href)
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new Error(`${error.message}: npm ci --prefix examples/fenced-stores`, { cause: error })
  }
}

// The servers of the example are stopped when this process exits, which the end by a signal is not.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))

/**
 * The tests of the store `name`; `start` resolves with its server, `{ url, stop() }`. `more` adds those of this store
 * alone: it is given `item()`, which makes an item and resolves with its id, `stale(id, token, fence)`, the error, and,
 * once the tests run, `store` and `url`.
 */
function recipe(name, start, more) {
  describe(`${name}, two holders in processes of their own, the first suspended beyond its lock`, () => {
    const cluster = useCluster(3)
    const suite = suiteScope()
    let run

    before(async () => {
      const server = await start()
      suite.after(() => server.stop())
      const { runScenario } = await load('scenario.mjs')
      run = (form, order) => runScenario({ name, url: server.url, nodes: cluster.urls, form, order })
    })

    for (const order of ['after', 'between']) {
      const when = order === 'after' ? 'after the next one has written' : "between the next one's read and its write"

      test(`with the token, a write ${when} is refused, and nothing is lost`, async () => {
        const { A, B, sold, gone, lost } = await run('fenced', order)
        assert.match(A.refused, /^token \d+ comes too late for item "[\w-]+", which has seen token \d+$/)
        assert.equal(A.fence, B.token)
        assert.ok(A.token < B.token)
        assert.equal(B.refused, undefined)
        assert.equal(A.isHeld, false)
        assert.deepEqual({ sold, gone, lost }, { sold: 2, gone: 2, lost: 0 })
      })
    }

    test("without the token, a write after the next one has written wipes that out: the second's update is lost", async () => {
      const { A, B, sold, gone, lost } = await run('unfenced', 'after')
      assert.deepEqual([A.stock, B.stock], [99, 98])
      assert.equal(A.isHeld, false)
      assert.deepEqual({ sold, gone, lost }, { sold: 3, gone: 1, lost: 2 })
    })

    test("without the token, a write between the next one's read and its write is wiped out: the first's update is lost", async () => {
      const { A, B, sold, gone, lost } = await run('unfenced', 'between')
      assert.deepEqual([A.stock, B.stock], [99, 98])
      assert.deepEqual({ sold, gone, lost }, { sold: 3, gone: 2, lost: 1 })
    })
  })

  describe(`${name}, tokens`, () => {
    const suite = suiteScope()
    let server
    let store
    let fenced
    let unfenced

    before(async () => {
      server = await start()
      suite.after(() => server.stop())
      const { open } = await load(`${name}.mjs`)
      store = open(server.url)
      suite.after(() => store.close())
      fenced = store.fenced
      unfenced = store.unfenced
    })

    async function item(value = 100) {
      const id = uniqueKey('item')
      await store.create({ id, value })
      return id
    }

    const stored = async (id) => (await unfenced.read(id)).value

    const stale = (id, token, fence) => ({
      name: 'StaleTokenError',
      message: `token ${token} comes too late for item "${id}", which has seen token ${fence}`,
      ...{ id, token, fence },
    })

    test('a smaller token than the largest seen is refused at the read', async () => {
      const id = await item()
      await fenced.read(id, 10)
      await assert.rejects(fenced.read(id, 9), stale(id, 9, 10))
      assert.deepEqual((await fenced.read(id, 11)).value, 100)
      await assert.rejects(fenced.read(id, 10), stale(id, 10, 11))
    })

    test('a smaller token is refused at the write, and changes nothing', async () => {
      const id = await item()
      const mine = await fenced.read(id, 10)
      await fenced.read(id, 11)
      await assert.rejects(fenced.write({ ...mine, value: 1 }, 10), stale(id, 10, 11))
      assert.equal(await stored(id), 100)
    })

    test('what has been read with one token is not written with a smaller one', async () => {
      const id = await item()
      const mine = await fenced.read(id, 10)
      await assert.rejects(fenced.write({ ...mine, value: 1 }, 9), stale(id, 9, 10))
      await fenced.write({ ...mine, value: 2 }, 11)
      await assert.rejects(fenced.write({ ...mine, value: 3 }, 10), stale(id, 10, 11))
      assert.equal(await stored(id), 2)
    })

    test('a write is remembered as a read is', async () => {
      const id = await item()
      await fenced.write({ id, value: 1 }, 11)
      await assert.rejects(fenced.read(id, 10), stale(id, 10, 11))
      await assert.rejects(fenced.write({ id, value: 2 }, 10), stale(id, 10, 11))
      assert.equal(await stored(id), 1)
    })

    test('an equal token may read and write as often as it likes, the same value too', async () => {
      const id = await item()
      const mine = await fenced.read(id, 10)
      for (const value of [99, 98, 98]) await fenced.write({ ...mine, value }, 10)
      const again = await fenced.read(id, 10)
      assert.equal(again.value, 98)
      await fenced.write({ ...again, value: 97 }, 10)
      assert.equal(await stored(id), 97)
    })

    test('tokens are compared as numbers, up to the largest', async () => {
      const id = await item()
      for (const token of [9, 10, 100, LARGEST - 2, LARGEST - 1, LARGEST]) await fenced.read(id, token)
      await assert.rejects(fenced.read(id, LARGEST - 1), stale(id, LARGEST - 1, LARGEST))
      await assert.rejects(fenced.write({ id, value: 1 }, LARGEST - 1), stale(id, LARGEST - 1, LARGEST))
      await fenced.write({ id, value: 2 }, LARGEST)
      assert.equal(await stored(id), 2)
    })

    test('each item has a fence of its own', async () => {
      const [one, other] = [await item(), await item()]
      await fenced.read(one, 20)
      assert.equal((await fenced.read(other, 10)).value, 100)
      await assert.rejects(fenced.read(one, 10), stale(one, 10, 20))
    })

    for (const [what, call, left] of [
      ['read', (id, token) => fenced.read(id, token), 100],
      ['write', (id, token) => fenced.write({ id, value: token }, token), 8],
    ]) {
      test(`of many who ${what} at once, the largest token stays`, async () => {
        const id = await item()
        const tokens = [4, 8, 1, 6, 2, 7, 3, 5]
        const ends = await Promise.allSettled(tokens.map((token) => call(id, token)))
        const errors = ends.filter((end) => end.status === 'rejected').map((end) => end.reason.name)
        assert.deepEqual(errors, Array(errors.length).fill('StaleTokenError'))
        assert.equal(ends[tokens.indexOf(8)].status, 'fulfilled')
        assert.equal(await stored(id), left)
        await assert.rejects(fenced.read(id, 7), stale(id, 7, 8))
      })
    }

    test('a token that only writes show is not enough: the late write comes in between, and is lost', async () => {
      const id = await item()
      const first = await unfenced.read(id)
      const second = await unfenced.read(id)
      await fenced.write({ ...first, value: first.value - 1 }, 1)
      await fenced.write({ ...second, value: second.value - 2 }, 2)
      assert.equal(await stored(id), 98, 'three were sold')
    })

    test('an item that is not there is an error, with the token and without', async () => {
      const id = uniqueKey('nothing')
      const missing = { name: 'MissingItemError', message: `there is no item "${id}"`, id }
      await assert.rejects(fenced.read(id, 1), missing)
      await assert.rejects(fenced.write({ id, value: 1 }, 1), missing)
      await assert.rejects(unfenced.read(id), missing)
      await assert.rejects(unfenced.write({ id, value: 1 }), missing)
      await assert.rejects(fenced.read(id, 1), missing, 'nothing has come into being')
    })

    test('what is no token is refused before anything is sent', async () => {
      const id = await item()
      for (const token of [undefined, null, '7', 7n]) {
        const error = { name: 'TypeError', message: `token must be a number, not ${token}; is \`fencing\` on?` }
        await assert.rejects(async () => fenced.read(id, token), error)
        await assert.rejects(async () => fenced.write({ id, value: 1 }, token), error)
      }
      for (const token of [0, -1, 1.5, Number.NaN, LARGEST + 1]) {
        const error = { name: 'RangeError', message: `token must be an integer from 1 to ${LARGEST}, not ${token}` }
        await assert.rejects(async () => fenced.read(id, token), error)
        await assert.rejects(async () => fenced.write({ id, value: 1 }, token), error)
      }
      assert.equal((await fenced.read(id, 1)).value, 100)
    })

    more?.({
      item,
      stale,
      get store() {
        return store
      },
      get url() {
        return server.url
      },
    })
  })
}

module.exports = { recipe, load, requireClient, FOLDER }
