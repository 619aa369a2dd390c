'use strict'

// What npm pack puts into the package: everything a user needs, nothing else.

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { before, describe, test } = require('node:test')
const { installed, pack } = require('./packed')

describe('the packed package', () => {
  let support
  let files

  before(async () => {
    support = await import('../../scripts/support/addon.mjs')
    files = pack().files
  })

  test('holds the entries, the types, the licences and the addon of this platform', () => {
    const paths = files.map((file) => file.path)
    for (const wanted of [
      ...['index.js', 'index.mjs', 'index.d.ts', 'index.d.mts', 'package.json', 'README.md', 'CHANGELOG.md'],
      ...['metrics/index.js', 'metrics/index.d.mts', 'nestjs/metrics/index.mjs', 'nestjs/metrics/index.d.ts'],
      ...['LICENSE', 'THIRD_PARTY_LICENSES', 'SECURITY.md', `native/${path.basename(support.addonPath())}`],
    ]) {
      assert.ok(paths.includes(wanted), `${wanted} is missing`)
    }
  })

  test('holds nothing that does not belong', () => {
    const belongs =
      /^((metrics\/|nestjs\/(metrics\/|terminus\/)?)?index\.(js|mjs|d\.ts|d\.mts)|js\/[\w/.-]+\.js|native\/quorlock\.[\w-]+\.node|[A-Z_]+(\.md)?|package\.json)$/
    assert.deepEqual(
      files.map((file) => file.path).filter((name) => !belongs.test(name)),
      [],
    )
  })

  test('holds an addon below its budget', () => {
    for (const { path: name, size } of files.filter((file) => file.path.endsWith('.node'))) {
      assert.ok(size < support.sizeLimitBytes, `${name} has ${size} bytes`)
    }
  })

  // the other formats keep their symbols elsewhere; their size is bounded above
  if (process.platform === 'linux') {
    test('holds a stripped addon', () => {
      assert.equal(hasSymbolTable(fs.readFileSync(support.addonPath())), false)
    })
  }

  test('installs without dependencies and without scripts', () => {
    const folder = installed()
    assert.deepEqual(
      fs.readdirSync(path.join(folder, 'node_modules')).filter((name) => !name.startsWith('.')),
      ['quorlock'],
    )
    const manifest = JSON.parse(fs.readFileSync(path.join(folder, 'node_modules/quorlock/package.json'), 'utf8'))
    assert.equal(manifest.dependencies, undefined)
    assert.equal(manifest.os ?? manifest.cpu ?? manifest.libc, undefined)
    const lock = JSON.parse(fs.readFileSync(path.join(folder, 'package-lock.json'), 'utf8'))
    assert.equal(lock.packages['node_modules/quorlock'].hasInstallScript, undefined)
  })
})

/** Whether an ELF64 little-endian file has a section of type SHT_SYMTAB. */
function hasSymbolTable(elf) {
  const sectionsAt = Number(elf.readBigUInt64LE(0x28))
  const sectionSize = elf.readUInt16LE(0x3a)
  const sectionCount = elf.readUInt16LE(0x3c)
  for (let i = 0; i < sectionCount; i++) {
    if (elf.readUInt32LE(sectionsAt + i * sectionSize + 4) === 2) return true
  }
  return false
}
