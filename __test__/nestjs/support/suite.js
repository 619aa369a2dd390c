'use strict'

// Everything that is promised to an application of one version of Nest, from the packed package.

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { before, describe, test } = require('node:test')
const { consumerOf, compile, compileTypes, applications, runTests, sources } = require('./consumer')

const names = fs
  .readdirSync(sources)
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => name.replace(/\.ts$/, ''))

/** So that a file that is not loaded, or ends early, is not taken for one that passed. */
function countTests() {
  const declared = names.map(
    (name) => fs.readFileSync(path.join(sources, `${name}.ts`), 'utf8').match(/^ *test\(/gm).length,
  )
  return declared.reduce((sum, count) => sum + count, 0) + inLoops
}

// forRootAsync in four ways is declared once; the four tests over HTTP run on two adapters,
// and the two of a reload in three ways
const inLoops = 3 + 4 + 2 * 2

function suite(version) {
  describe(`Nest ${version}`, () => {
    let folder

    before(() => {
      folder = consumerOf(version)
    })

    for (const application of applications) {
      test(`types, ${application.join(', ')}`, () => {
        compileTypes(folder, application)
      })
    }

    for (const type of ['commonjs', 'module']) {
      test(`${type}, compiled`, () => {
        compile(folder, type, { skipLibCheck: true })
      })

      test(`${type}, with all declarations checked, those of Nest too`, () => {
        compile(folder, type, { skipLibCheck: false, files: ['types.ts'], noEmit: true })
      })

      test(`${type}, at run time: ${names.join(', ')}`, async () => {
        assert.equal(await runTests(folder, type, version, names), countTests())
      })
    }
  })
}

module.exports = { suite }
