'use strict'

// One package, loaded both ways, and by accident twice.

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { createRequire } = require('node:module')
const { describe, test } = require('node:test')
const assert = require('node:assert/strict')
const cjs = require('../..')
const { Child } = require('../support/child')
const { useCluster } = require('../support/cluster')
const { uniqueKey } = require('../support/quorlock')
const { within } = require('../support/until')

const ROOT = path.join(__dirname, '..', '..')

async function contendedError({ Redlock }, nodes) {
  const redlock = new Redlock({ nodes })
  const key = uniqueKey()
  const lock = await redlock.acquire(key, 5000)
  const error = await redlock.acquire(key, 5000, { wait: 0 }).catch((reason) => reason)
  await lock.release()
  await redlock.close()
  return error
}

test('CommonJS and ESM at once: the same names, the same classes, the same nodes', async () => {
  const esm = await import('../../index.mjs')
  for (const name of Object.keys(cjs)) assert.equal(esm[name], cjs[name], name)
  for (const [ours, theirs] of [
    [cjs, esm],
    [esm, cjs],
  ]) {
    const error = await contendedError(ours, 'memory:modules')
    assert.ok(error instanceof theirs.LockContendedError)
    assert.ok(error instanceof theirs.LockError)
    assert.ok(!(error instanceof theirs.LockLostError))
    assert.ok(theirs.isLockError(error))
  }
  const [one, other] = [new cjs.Redlock({ nodes: 'memory:modules' }), new esm.Redlock({ nodes: 'memory:modules' })]
  const key = uniqueKey()
  const lock = await one.acquire(key, 5000)
  assert.equal(await other.tryAcquire(key, 5000), null)
  await lock.release()
  await Promise.all([one.close(), other.close()])
})

test('a second copy of the package: errors are still recognised, and both copies work side by side', async (t) => {
  const copy = fs.mkdtempSync(path.join(os.tmpdir(), 'quorlock-copy-'))
  t.after(() => fs.rmSync(copy, { recursive: true, force: true }))
  for (const part of ['package.json', 'index.js', 'js', 'native']) {
    fs.cpSync(path.join(ROOT, part), path.join(copy, part), { recursive: true })
  }
  const second = createRequire(path.join(copy, 'index.js'))('./index.js')
  assert.notEqual(second.Redlock, cjs.Redlock)
  const errors = await Promise.all([contendedError(cjs, 'memory'), contendedError(second, 'memory')])
  for (const error of errors) {
    for (const { LockError, LockContendedError, LockLostError, isLockError } of [cjs, second]) {
      assert.ok(error instanceof LockError && error instanceof LockContendedError && isLockError(error))
      assert.ok(!(error instanceof LockLostError))
    }
  }
})

describe('loaded twice into one thread', () => {
  const cluster = useCluster(1)

  for (const where of ['main', 'worker']) {
    test(`both work, and the thread ends: ${where}`, async (t) => {
      const script = path.join(__dirname, 'fixtures', 'loaded-twice.js')
      const child = new Child(script, { args: [where, cluster.urls[0], uniqueKey()] })
      t.after(() => child.stop())
      const { code, signal, stdout, stderr } = await within(10_000, child.ended, 'the process')
      assert.equal(stderr, '')
      assert.deepEqual({ code, signal }, { code: 0, signal: null })
      assert.equal(stdout, where === 'main' ? 'true\n' : 'true\nexit 0\n')
    })
  }
})

test('what is no lock error is not called one', () => {
  for (const value of [null, undefined, 'ERR_LOCK', {}, new Error('x'), { code: 'ERR_LOCK_CONTENDED' }]) {
    assert.equal(cjs.isLockError(value), false)
    assert.equal(value instanceof cjs.LockError, false)
  }
})
