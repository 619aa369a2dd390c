'use strict'

// Every recipe of docs/nestjs.md is a part of app/recipes.ts, which is compiled and run.

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')

const page = fs.readFileSync(path.join(__dirname, '../../docs/nestjs.md'), 'utf8')
const source = fs.readFileSync(path.join(__dirname, 'app/recipes.ts'), 'utf8')

test('the recipes are what the tests run', () => {
  const [, recipes] = page.split(/^## Recipes$/m)
  const blocks = [...recipes.split(/^## /m)[0].matchAll(/^```ts\n([\s\S]+?)^```$/gm)].map(([, block]) => block)
  assert.equal(blocks.length, 4)
  for (const block of blocks) assert.ok(source.includes(block), `not in recipes.ts:\n${block}`)
})
