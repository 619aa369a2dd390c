'use strict'

// What is loaded by whom: nobody needs pg to import the package, nor Redis' addon to lock in Postgres.

const assert = require('node:assert/strict')
const { execFileSync } = require('node:child_process')
const path = require('node:path')
const { test } = require('node:test')

const root = path.join(__dirname, '..', '..')

/** The files that a process has loaded after this code. */
function loadedBy(code) {
  const report = 'console.log(JSON.stringify(Object.keys(require.cache)))'
  const output = execFileSync(process.execPath, ['-e', `${code}\n${report}`], { cwd: root, encoding: 'utf8' })
  return JSON.parse(output).map((file) => path.relative(root, file).replaceAll(path.sep, '/'))
}

test('quorlock loads nothing of Postgres, and no other package', () => {
  const files = loadedBy("require('quorlock')")
  assert.ok(files.includes('index.js'))
  assert.deepEqual(
    files.filter((file) => file.includes('postgres') || file.includes('node_modules')),
    [],
  )
})

test('quorlock/postgres loads neither pg nor the addon', () => {
  const files = loadedBy("require('quorlock/postgres')")
  assert.ok(files.includes('postgres/index.js'))
  assert.deepEqual(
    files.filter((file) => file.includes('node_modules') || file.endsWith('.node') || file === 'js/native.js'),
    [],
  )
})

test('both entries of quorlock/postgres are one class, with the errors of quorlock', () => {
  const code = `
    import { PostgresLockProvider } from 'quorlock/postgres'
    import { QuorumUnavailableError } from 'quorlock'
    import { createRequire } from 'node:module'
    const require = createRequire(process.cwd() + '/x.js')
    const pool = { connect: () => Promise.reject(new Error('away')), query() {} }
    const error = await new PostgresLockProvider({ pool }).tryAcquire('k', 1000).catch((reason) => reason)
    console.log(PostgresLockProvider === require('quorlock/postgres').PostgresLockProvider, error instanceof QuorumUnavailableError)
  `
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', code], { cwd: root, encoding: 'utf8' })
  assert.equal(output.trim(), 'true true')
})
