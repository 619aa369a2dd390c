'use strict'

// Loading: Nest only where it is asked for, what is said where it is missing, and one set of classes for both kinds of
// modules, in any order of imports. With Nest 12, which is ESM only.

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { before, describe, test } = require('node:test')
const { installed, node } = require('../package/packed')
const { consumerOf } = require('./support/consumer')

/** Runs `text` as a program of that name in `folder`; gives what it printed, parsed. */
function run(folder, name, text) {
  fs.writeFileSync(path.join(folder, name), text)
  return JSON.parse(node(folder, name))
}

describe('without Nest', () => {
  let folder

  before(() => {
    folder = installed()
  })

  for (const [entry, peer] of [
    ['quorlock/nestjs', '@nestjs/common'],
    ['quorlock/nestjs/terminus', '@nestjs/common'],
  ]) {
    const expected = {
      code: 'ERR_QUORLOCK_PEER_MISSING',
      message: `${entry} needs ${peer}, which is not installed: npm install ${peer}`,
    }
    const tell = '({ code, message }) => console.log(JSON.stringify({ code, message }))'

    test(`requiring ${entry} says what to install`, () => {
      const text = `const tell = ${tell}; try { require('${entry}') } catch (error) { tell(error) }`
      assert.deepEqual(run(folder, 'missing.cjs', text), expected)
    })

    test(`importing ${entry} says it too, and can be caught`, () => {
      assert.deepEqual(run(folder, 'missing.mjs', `import('${entry}').catch(${tell})`), expected)
    })
  }
})

describe('with Nest, without terminus', () => {
  test('quorlock/nestjs is all there, quorlock/nestjs/terminus says what to install', () => {
    const folder = consumerOf(12)
    fs.rmSync(path.join(folder, 'node_modules/@nestjs/terminus'))
    const text = `require('quorlock/nestjs').RedlockModule.forRoot({ nodes: 'memory' })
      try { require('quorlock/nestjs/terminus') } catch (error) { console.log(JSON.stringify(error.message)) }`
    const expected =
      'quorlock/nestjs/terminus needs @nestjs/terminus, which is not installed: npm install @nestjs/terminus'
    assert.equal(run(folder, 'terminus.cjs', text), expected)
  })
})

describe('with Nest, where rxjs is not to be had', () => {
  test('quorlock/nestjs says what to install', () => {
    const folder = consumerOf(12)
    fs.rmSync(path.join(folder, 'node_modules/rxjs')) // Nest has it beside itself
    const text = "try { require('quorlock/nestjs') } catch (error) { console.log(JSON.stringify(error.message)) }"
    const expected = 'quorlock/nestjs needs rxjs, which is not installed: npm install rxjs'
    assert.equal(run(folder, 'rxjs.cjs', text), expected)
  })
})

describe('with Nest', () => {
  let folder

  before(() => {
    folder = consumerOf(12)
  })

  test('quorlock alone loads nothing of it, and quorlock/nestjs no terminus', () => {
    const text = `
      const loaded = (name) => Object.keys(require.cache).some((file) => file.includes('/node_modules/' + name))
      require('quorlock')
      const first = ['@nestjs', 'rxjs', 'reflect-metadata', 'quorlock/js/nestjs'].filter(loaded)
      require('quorlock/nestjs')
      console.log(JSON.stringify([first, ['quorlock/js/nestjs'].filter(loaded), loaded('@nestjs/terminus')]))`
    assert.deepEqual(run(folder, 'cache.cjs', text), [[], ['quorlock/js/nestjs'], false])
  })

  const names = [
    ...['RedlockModule', 'RedlockService', 'InjectRedlock', 'getRedlockToken', 'WithLock', 'RedlockExceptionFilter'],
  ]
  const orders = {
    'after Nest': "import * as common from '@nestjs/common'\nimport * as ours from 'quorlock/nestjs'",
    'before Nest': "import * as ours from 'quorlock/nestjs'\nimport * as common from '@nestjs/common'",
  }
  for (const [how, imports] of Object.entries(orders)) {
    test(`imported ${how}, it is what require gives, and uses the same Nest`, () => {
      const text = `
        ${imports}
        import { Redlock } from 'quorlock'
        import { createRequire } from 'node:module'
        import { NestFactory } from '@nestjs/core'
        const require = createRequire(import.meta.url)
        const required = require('quorlock/nestjs')
        class App {}
        common.Module({ imports: [ours.RedlockModule.forRoot({ nodes: 'memory' })] })(App)
        const app = await NestFactory.createApplicationContext(App, { logger: false })
        const redlock = app.get(required.RedlockService)
        await app.close()
        console.log(JSON.stringify({
          names: Object.keys(required),
          same: ${JSON.stringify(names)}.filter((name) => required[name] === ours[name]),
          instances: [redlock instanceof ours.RedlockService, redlock instanceof require('quorlock').Redlock],
          root: require('quorlock').Redlock === Redlock,
          nest: require('@nestjs/common').Module === common.Module,
        }))`
      assert.deepEqual(run(folder, `${how.replace(' ', '-')}.mjs`, text), {
        names,
        same: names,
        instances: [true, true],
        root: true,
        nest: true,
      })
    })
  }
})
