'use strict'

// publint and attw, the two tools users judge a package by: no findings, suggestions included.

const assert = require('node:assert/strict')
const { execFileSync } = require('node:child_process')
const path = require('node:path')
const { before, describe, test } = require('node:test')
const { install, pack, root } = require('./packed')

describe('the packed package', () => {
  let tarball

  before(() => {
    tarball = pack().tarball
  })

  test('has no findings of publint', async () => {
    const { publint } = await import('publint')
    const folder = install(tarball)
    const { messages } = await publint({
      pkgDir: path.join(folder, 'node_modules/quorlock'),
      pack: false,
      strict: true,
    })
    assert.deepEqual(messages, [])
  })

  test('has no findings of attw, in any resolution mode', () => {
    const cli = path.join(root, 'node_modules/@arethetypeswrong/cli/dist/index.js')
    const args = [cli, '--format', 'json', '--profile', 'strict', tarball]
    const { analysis, problems } = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', stdio: 'pipe' }))
    assert.equal(analysis.types.kind, 'included')
    assert.deepEqual(problems ?? {}, {})
  })
})
