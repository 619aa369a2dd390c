'use strict'

// Everything that is promised to an application of one version of Nest, from the packed package.

const assert = require('node:assert/strict')
const fs = require('node:fs')
const { before, describe, test } = require('node:test')
const { consumerOf, compile, runTests, sources } = require('./consumer')

const names = fs
  .readdirSync(sources)
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => name.replace(/\.ts$/, ''))

function suite(version) {
  describe(`Nest ${version}`, () => {
    let folder

    before(() => {
      folder = consumerOf(version)
    })

    for (const type of ['commonjs', 'module']) {
      test(`${type}, compiled`, () => {
        compile(folder, type, { skipLibCheck: true })
      })

      test(`${type}, with all declarations checked, those of Nest too`, () => {
        compile(folder, type, { skipLibCheck: false, files: ['types.ts'], noEmit: true })
      })

      for (const name of names) {
        test(`${type}, ${name}`, async () => {
          assert.ok((await runTests(folder, type, version, name)) > 0)
        })
      }
    }
  })
}

module.exports = { suite }
