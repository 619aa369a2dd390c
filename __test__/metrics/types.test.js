// Our types beside the published ones of what the metrics are given to.

const path = require('node:path')
const { test } = require('node:test')
const { compile, compilers } = require('../package/compilers')

for (const compiler of compilers) {
  test(`${compiler}: a client, a registry, a meter and a dynamic module are what is asked for`, () => {
    const cwd = path.join(__dirname, 'consumer')
    // Those of the others are theirs to check.
    compile(compiler, ['typed.mts'], { cwd, skipLibCheck: true, flags: ['--experimentalDecorators'] })
  })
}
