'use strict'

// The examples of docs/testing.md, as they stand there.

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const { Child } = require('../support/child')
const { within } = require('../support/until')

const root = path.join(__dirname, '..', '..')
const text = fs.readFileSync(path.join(root, 'docs', 'testing.md'), 'utf8')
const examples = [...text.matchAll(/^```js\n(.*?)^```/gms)].map(([, code]) => code)

test('there are examples', () => {
  assert.equal(examples.length, 2)
})

for (const [i, code] of examples.entries()) {
  test(`example ${i + 1}`, async (t) => {
    // Inside the package, which can be imported by its name there.
    const folder = fs.mkdtempSync(path.join(__dirname, 'example-'))
    t.after(() => fs.rmSync(folder, { recursive: true }))
    const file = path.join(folder, 'example.mjs')
    fs.writeFileSync(file, code)
    // Else its runner would report to ours, in another language.
    const child = new Child(file, { env: { NODE_TEST_CONTEXT: undefined } })
    t.after(() => child.stop())
    const { code: status, stdout, stderr } = await within(30_000, child.ended, 'the example')
    assert.equal(status, 0, stdout + stderr)
    assert.match(stdout, /fail 0/)
    assert.doesNotMatch(stdout, /pass 0/)
  })
}
