'use strict'

// What a TestRedlock costs the process that runs the tests: nothing that stays.

const assert = require('node:assert/strict')
const path = require('node:path')
const { test } = require('node:test')
const { Child } = require('../support/child')
const { within } = require('../support/until')

const fixture = (name) => path.join(__dirname, 'fixtures', name)

test('a process exits by itself, whatever a test has left behind', async (t) => {
  const child = new Child(fixture('left-open.js'))
  t.after(() => child.stop())
  const { code, stdout, stderr } = await within(20_000, child.ended, 'the process')
  assert.equal(stderr, '')
  assert.equal(stdout, '2 wait\n')
  assert.equal(code, 0)
})

test('a lock whose handle nobody keeps stays, unlike elsewhere: it must not depend on the garbage collector', async (t) => {
  const child = new Child(fixture('dropped.js'), { execArgv: ['--expose-gc', '--no-warnings'] })
  t.after(() => child.stop())
  const { code, stdout, stderr } = await within(20_000, child.ended, 'the process')
  assert.equal(stderr, '')
  assert.equal(stdout, 'true false\n')
  assert.equal(code, 0)
})

test('hundreds of tests in a row leave nothing behind', async (t) => {
  const child = new Child(fixture('many.js'), { execArgv: ['--expose-gc'] })
  t.after(() => child.stop())
  const { code, stdout, stderr } = await within(60_000, child.ended, 'the process')
  assert.equal(stderr, '')
  assert.equal(code, 0)
  const { first, last, alive } = JSON.parse(stdout)
  assert.equal(last.descriptors, first.descriptors)
  assert.equal(last.threads, first.threads)
  assert.deepEqual(last.resources, first.resources)
  assert.ok(last.heapUsed - first.heapUsed < 2 ** 20, `the heap grew by ${last.heapUsed - first.heapUsed} bytes`)
  assert.ok(alive <= 2, `${alive} instances are still there`)
})
