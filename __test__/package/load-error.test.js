'use strict'

// The native file is missing, or the platform is not one we build for: the error says all that a user needs.

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { before, describe, test } = require('node:test')
const { installed, node } = require('./packed')
const { napi } = require('../../package.json')

const report = `
  console.log(JSON.stringify({ code: error.code, name: error.name, message: error.message, cause: String(error.cause) }))
`
const open = "new Redlock({ nodes: 'memory' })"
const required = `try { const { Redlock } = require('quorlock'); ${open} } catch (error) { ${report} }`
const imported = `import('quorlock').then(({ Redlock }) => ${open}).catch((error) => { ${report} })`

describe('without the native file', () => {
  let folder

  before(() => {
    folder = installed()
    fs.rmSync(path.join(folder, 'node_modules/quorlock/native'), { recursive: true })
  })

  for (const [how, program] of Object.entries({ required, imported })) {
    test(`the error when ${how} names platform, architecture, libc, what is supported and the causes`, () => {
      const error = JSON.parse(node(folder, '-e', program))
      assert.equal(error.code, 'ERR_QUORLOCK_NATIVE_LOAD')
      assert.ok(error.message.includes(process.platform) && error.message.includes(process.arch), error.message)
      if (process.platform === 'linux') assert.match(error.message, /glibc|musl/)
      assert.match(error.message, /linux-x64-gnu/)
      // the usual causes: made elsewhere, optional packages left out, bundled, another libc
      assert.match(error.message, /lock ?file|another (platform|system|machine)/i)
      assert.match(error.message, /bundle/i)
    })
  }

  test('an addon that cannot be read as one keeps the cause', () => {
    const native = path.join(folder, 'node_modules/quorlock/native')
    const [addon] = fs.readdirSync(path.join(__dirname, '../../native')).filter((name) => name.endsWith('.node'))
    fs.mkdirSync(native)
    fs.writeFileSync(path.join(native, addon), 'not an addon')
    const error = JSON.parse(node(folder, '-e', required))
    fs.rmSync(native, { recursive: true })
    assert.equal(error.code, 'ERR_QUORLOCK_NATIVE_LOAD')
    assert.notEqual(error.cause, 'undefined')
  })
})

describe('the list of supported platforms', () => {
  // Rust's names, as package.json lists what was built; ours, as the addon's file is called
  const platforms = {
    'x86_64-unknown-linux-gnu': 'linux-x64-gnu',
    'x86_64-unknown-linux-musl': 'linux-x64-musl',
    'aarch64-unknown-linux-gnu': 'linux-arm64-gnu',
    'aarch64-unknown-linux-musl': 'linux-arm64-musl',
    'x86_64-apple-darwin': 'darwin-x64',
    'aarch64-apple-darwin': 'darwin-arm64',
    'x86_64-pc-windows-msvc': 'win32-x64',
  }

  test('names what was built, and nothing else', () => {
    const folder = installed()
    fs.rmSync(path.join(folder, 'node_modules/quorlock/native'), { recursive: true })
    const [supported] = JSON.parse(node(folder, '-e', required)).message.match(/^.*supported.*$/im) ?? ['']
    for (const [target, name] of Object.entries(platforms)) {
      assert.equal(supported.includes(name), napi.targets.includes(target), `${name} in: ${supported}`)
    }
  })
})

describe('on a platform nobody built for', () => {
  test('the error names that platform, not the one that was built', () => {
    const folder = installed()
    fs.writeFileSync(
      path.join(folder, 'elsewhere.cjs'),
      `for (const [name, value] of [['platform', 'sunos'], ['arch', 'mips']]) Object.defineProperty(process, name, { value })`,
    )
    const error = JSON.parse(node(folder, '--require', './elsewhere.cjs', '-e', required))
    assert.equal(error.code, 'ERR_QUORLOCK_NATIVE_LOAD')
    assert.match(error.message, /sunos/)
    assert.match(error.message, /mips/)
    assert.match(error.message, /linux-x64-gnu/)
  })
})
