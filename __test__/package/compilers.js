'use strict'

// The TypeScript versions and module settings a user may have, and how to run tsc with them.

const { execFileSync } = require('node:child_process')
const path = require('node:path')

const root = path.join(__dirname, '..', '..')

/** Folders of node_modules: the oldest we support, the one most projects use, the newest. */
const compilers = ['typescript-5.4', 'typescript', 'typescript-latest']

const moduleSettings = {
  node16: ['--module', 'node16', '--moduleResolution', 'node16'],
  nodenext: ['--module', 'nodenext', '--moduleResolution', 'nodenext'],
  bundler: ['--module', 'esnext', '--moduleResolution', 'bundler'],
}

/** Without `exports`: the newest compiler has it no more. */
const oldSettings = { node10: ['--module', 'commonjs', '--moduleResolution', 'node10'] }

/** Type-checks `files` in `cwd`; throws an error whose message is what tsc printed. */
function compile(
  compiler,
  files,
  { cwd, modules = 'nodenext', skipLibCheck = false, types = ['node'], flags = [], outDir },
) {
  const tsc = path.join(root, 'node_modules', compiler, 'bin', 'tsc')
  const args = [
    ...['--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess'],
    ...['--target', 'es2022', '--lib', 'es2022,esnext.disposable', '--skipLibCheck', String(skipLibCheck)],
    ...(types.length > 0 ? ['--types', types.join(',')] : []),
    ...(moduleSettings[modules] ?? oldSettings[modules]),
    ...flags,
    ...(outDir ? ['--outDir', outDir, '--rootDir', cwd] : ['--noEmit']),
    ...files,
  ]
  try {
    execFileSync(process.execPath, [tsc, ...args], { cwd, encoding: 'utf8', stdio: 'pipe' })
  } catch (error) {
    throw new Error(`${compiler}, ${modules}, skipLibCheck ${skipLibCheck}:\n${error.stdout}${error.stderr}`)
  }
}

module.exports = { compilers, moduleSettings, compile }
