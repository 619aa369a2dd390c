'use strict'

// Every recipe of docs/nestjs.md, and the container of docs/testing.md, is a part of a file that is compiled and run.

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')

const read = (file) => fs.readFileSync(path.join(__dirname, file), 'utf8')

/** The examples in TypeScript under that heading. */
function examplesOf(page, heading) {
  const [, rest] = read(`../../docs/${page}`).split(new RegExp(`^## ${heading}$`, 'm'))
  return [...rest.split(/^## /m)[0].matchAll(/^```ts\n([\s\S]+?)^```$/gm)].map(([, block]) => block)
}

for (const [page, heading, file, count] of [
  ['nestjs.md', 'Recipes', 'app/recipes.ts', 5],
  ['testing.md', 'In a container of NestJS', 'app/container.test.ts', 1],
]) {
  test(`${page}, ${heading}: what the tests run`, () => {
    const blocks = examplesOf(page, heading)
    assert.equal(blocks.length, count)
    for (const block of blocks) assert.ok(read(file).includes(block), `not in ${file}:\n${block}`)
  })
}
