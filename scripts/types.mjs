// The published types under each TypeScript version, through a consumer that imports the package by its name.
// `npm run test:package` does the same against the packed package, under every module setting.

import { join } from 'node:path'
import matrix from '../__test__/package/compilers.js'
import { root } from './support/addon.mjs'

const consumer = join(root, '__test__', 'package', 'consumer')

const programs = ['import.mts', 'require.cts', 'provider.mts', 'metrics.mts', 'testing.mts', 'fallback.mts']
const besideOthers = ['postgres.mts'] // whose types are theirs to check

for (const compiler of matrix.compilers) {
  try {
    matrix.compile(compiler, programs, { cwd: consumer })
    matrix.compile(compiler, besideOthers, { cwd: consumer, skipLibCheck: true })
    console.log(`✔ ${compiler}`)
  } catch (error) {
    console.log(`✖ ${error.message}`)
    process.exitCode = 1
  }
}
