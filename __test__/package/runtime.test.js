'use strict'

// The installed package at run time: required, imported, both at once, and not any deeper.

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { before, describe, test } = require('node:test')
const { installed, node } = require('./packed')

const useIt = `
  const redlock = new Redlock({ nodes: 'memory' })
  const value = await redlock.withLock('key', 1000, (lock) => lock.isHeld)
  await redlock.close()
  console.log(value)
`

describe('the installed package', () => {
  let folder

  before(() => {
    folder = installed()
  })

  test('can be required', () => {
    write('require.cjs', `const { Redlock } = require('quorlock')\nasync function main() {${useIt}}\nmain()`)
    assert.equal(node(folder, 'require.cjs'), 'true')
  })

  test('can be imported by name', () => {
    write('import.mjs', `import { Redlock } from 'quorlock'\n${useIt}`)
    assert.equal(node(folder, 'import.mjs'), 'true')
  })

  test('is one implementation, required and imported in one process', () => {
    write(
      'both.mjs',
      `import { createRequire } from 'node:module'
       import * as imported from 'quorlock'
       const required = createRequire(import.meta.url)('quorlock')
       const names = Object.keys(required).sort()
       const listed = Object.keys(imported).filter((name) => name !== 'default' && name !== 'module.exports').sort()
       const redlock = new imported.Redlock({ nodes: 'memory', retryCount: 0 })
       await redlock.acquire('key', 1000)
       const other = new required.Redlock({ nodes: 'memory', retryCount: 0 })
       const error = await other.acquire('key', 1000).catch((reason) => reason)
       await Promise.all([redlock.close(), other.close()])
       console.log(JSON.stringify({
         sameNames: names.join() === listed.join(),
         sameClasses: names.every((name) => required[name] === imported[name]),
         instances: [redlock instanceof required.Redlock, other instanceof imported.Redlock],
         // one node set for both: the lock of one is refused to the other
         errors: [error instanceof imported.LockContendedError, imported.isLockError(error)],
       }))`,
    )
    assert.deepEqual(JSON.parse(node(folder, 'both.mjs')), {
      sameNames: true,
      sameClasses: true,
      instances: [true, true],
      errors: [true, true],
    })
  })

  test('lets nobody reach the binding or the files behind the entries', () => {
    const [addon] = fs.readdirSync(path.join(folder, 'node_modules/quorlock/native'))
    const inner = fs.readdirSync(path.join(folder, 'node_modules/quorlock/js'), { recursive: true })
    const deeper = [`native/${addon}`, 'index.js', ...inner.map((name) => `js/${name}`)].map(
      (name) => `quorlock/${name}`,
    )
    write(
      'deep.cjs',
      `for (const name of ${JSON.stringify(deeper)}) {
         try { require(name); console.log(name) } catch (error) {
           if (error.code !== 'ERR_PACKAGE_PATH_NOT_EXPORTED') console.log(name, error)
         }
       }`,
    )
    assert.equal(node(folder, 'deep.cjs'), '')
  })

  test('gives its version to tools', () => {
    write('version.cjs', "console.log(require('quorlock/package.json').version)")
    assert.equal(node(folder, 'version.cjs'), require('../../package.json').version)
  })

  function write(name, text) {
    fs.writeFileSync(path.join(folder, name), text)
  }
})
