'use strict'

// The installed package under TypeScript: every version, module setting and strictness a user may have.

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { before, describe, test } = require('node:test')
const { compile, compilers, moduleSettings } = require('./compilers')
const { installed, node, root } = require('./packed')

const programs = {
  esm: ['import.mts', 'provider.mts', 'metrics.mts', 'testing.mts', 'fallback.mts'],
  commonjs: ['require.cts'],
  besideOthers: ['postgres.mts'], // whose types are theirs to check
}

describe('the types of the installed package', () => {
  let folder

  before(() => {
    folder = installed()
    fs.cpSync(path.join(__dirname, 'consumer'), folder, { recursive: true })
    fs.symlinkSync(path.join(root, 'node_modules/@types'), path.join(folder, 'node_modules/@types'), 'junction')
  })

  for (const compiler of compilers) {
    for (const modules of Object.keys(moduleSettings)) {
      // a bundler has no CommonJS files of its own to resolve for
      const files = modules === 'bundler' ? programs.esm : [...programs.esm, ...programs.commonjs]
      for (const skipLibCheck of [false, true]) {
        test(`${compiler}, ${modules}, skipLibCheck ${skipLibCheck}`, () => {
          const all = skipLibCheck ? [...files, ...programs.besideOthers] : files
          compile(compiler, all, { cwd: folder, modules, skipLibCheck })
        })
      }
    }

    test(`${compiler}: compiled programs run, with await using compiled down`, () => {
      compile(compiler, [...programs.esm, ...programs.commonjs], { cwd: folder, outDir: path.join(folder, compiler) })
      const compiled = fs.readFileSync(path.join(folder, compiler, 'import.mjs'), 'utf8')
      assert.doesNotMatch(compiled, /^\s*await using/m)
      for (const [name, line] of [
        ['import.mjs', 'import: ok'],
        ['provider.mjs', 'provider: ok'],
        ['metrics.mjs', 'metrics: ok'],
        ['fallback.mjs', 'fallback: ok'],
        ['require.cjs', 'require: ok'],
        ['testing.mjs', 'testing: ok'],
      ]) {
        assert.equal(node(folder, path.join(compiler, name)), line)
      }
    })
  }
})

describe('the types in a project without @types/node', () => {
  for (const compiler of compilers) {
    test(`${compiler}, with skipLibCheck`, () => {
      const folder = installed()
      fs.writeFileSync(
        path.join(folder, 'plain.mts'),
        `import { Redlock } from 'quorlock'
         const redlock = new Redlock({ nodes: 'memory' })
         export const one: number = await redlock.withLock('key', 1000, () => 1)`,
      )
      compile(compiler, ['plain.mts'], { cwd: folder, skipLibCheck: true, types: [] })
    })
  }
})
