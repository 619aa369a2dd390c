'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { load } = require('../../js/native')

const fails = (message) => () => {
  throw new Error(message)
}

function loadError(...args) {
  try {
    load(...args)
  } catch (error) {
    return error
  }
  return assert.fail('it was loaded')
}

test('the file in place comes first, the package second', () => {
  const places = {
    'linux-x64-gnu': [() => 'file', () => 'package'],
    'darwin-arm64': [fails('no file'), () => 'package'],
  }
  assert.equal(load('linux', 'x64', 'gnu', places), 'file')
  assert.equal(load('darwin', 'arm64', '', places), 'package')
})

test('nothing found: what, where, what is supported, why, and what was tried', () => {
  const error = loadError('linux', 'x64', 'gnu', { 'linux-x64-gnu': [fails('no file\nat all'), fails('no package')] })
  assert.equal(error.code, 'ERR_QUORLOCK_NATIVE_LOAD')
  const lines = error.message.split('\n')
  assert.equal(
    lines[0],
    `quorlock could not load its native file for linux-x64-gnu (platform linux, architecture x64, libc glibc, Node ${process.version}).`,
  )
  assert.match(lines[1], /^Supported: .*linux-x64-gnu/)
  assert.deepEqual(lines.slice(-2), ['Tried: no file', 'Tried: no package'])
  assert.equal(error.cause.message, 'no file')
  assert.equal(error.cause.cause.message, 'no package')
})

test('a platform without a binary', () => {
  const error = loadError('sunos', 'mips', '', {})
  assert.equal(error.code, 'ERR_QUORLOCK_NATIVE_LOAD')
  assert.match(error.message, /for sunos-mips \(platform sunos, architecture mips, Node/)
  assert.match(error.message, /^No binary is built for this platform\.$/m)
  assert.equal(error.cause, undefined)
})
