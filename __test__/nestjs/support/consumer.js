'use strict'

// An application's folder: the packed package, installed, beside one version of Nest, and the sources of ../app compiled
// there as CommonJS and as ESM.

const { spawn, execFileSync } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const path = require('node:path')
const matrix = require('../../package/compilers')
const { install, pack, root } = require('../../package/packed')

const sources = path.join(__dirname, '..', 'app')
const support = path.join(__dirname, '..', '..', 'support')
const tsc = path.join(root, 'node_modules', 'typescript-latest', 'bin', 'tsc')

/** As `nest new` has it, and stricter. */
const compilerOptions = {
  target: 'es2022',
  module: 'nodenext',
  strict: true,
  exactOptionalPropertyTypes: true,
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
  types: ['node'],
  outDir: 'built',
  rootDir: '.',
}

/** @param {10 | 11 | 12} version */
function consumerOf(version) {
  const folder = install(pack().tarball)
  const modules = path.join(folder, 'node_modules')
  const nest = path.join(root, '__test__', 'peers', `nest-${version}`, 'node_modules')
  linkAll(path.join(root, 'node_modules', '@types'), path.join(modules, '@types'))
  for (const scope of ['@nestjs', '@types']) linkAll(path.join(nest, scope), path.join(modules, scope))
  linkAll(nest, modules)
  linkAll(path.join(root, '__test__', 'metrics', 'node_modules'), modules, ['prom-client'])
  for (const type of ['commonjs', 'module']) {
    const place = path.join(folder, type)
    fs.cpSync(sources, place, { recursive: true })
    writeJson(path.join(place, 'package.json'), { type })
  }
  return folder
}

/** Each package alone, since ours stands among them. */
function linkAll(from, to, names = fs.readdirSync(from)) {
  fs.mkdirSync(to, { recursive: true })
  for (const name of names) {
    if (name.startsWith('.') || fs.existsSync(path.join(to, name))) continue
    fs.symlinkSync(path.join(from, name), path.join(to, name), 'junction')
  }
}

function writeJson(file, value) {
  fs.writeFileSync(file, `${JSON.stringify(value)}\n`)
}

/** Throws what tsc printed. */
function compile(folder, type, { skipLibCheck, files = ['*.ts'], noEmit = false }) {
  const place = path.join(folder, type)
  const options = { ...compilerOptions, skipLibCheck, noEmit }
  writeJson(path.join(place, 'tsconfig.json'), { compilerOptions: options, include: files })
  try {
    execFileSync(process.execPath, [tsc, '--project', place], { cwd: place, encoding: 'utf8', stdio: 'pipe' })
  } catch (error) {
    throw new Error(`${type}, skipLibCheck ${skipLibCheck}:\n${error.stdout}${error.stderr}`)
  }
}

/**
 * The compilers and module settings that applications have besides: a compiler, the type of the folder, and how it resolves.
 * Node10 knows no `exports`, and the newest compiler no node10; Nest 12 is ES modules, which CommonJS reads by these only.
 */
const applications = [
  ['typescript-5.4', 'commonjs', 'node10'],
  ['typescript', 'commonjs', 'node10'],
  ['typescript-5.4', 'commonjs', 'bundler'],
  ['typescript-5.4', 'module', 'nodenext'],
  ['typescript', 'module', 'node16'],
  ['typescript-latest', 'module', 'bundler'],
]

/** Throws what tsc printed about the types, as the entries of Nest have them. */
function compileTypes(folder, [compiler, type, modules]) {
  const flags = ['--experimentalDecorators', '--emitDecoratorMetadata']
  matrix.compile(compiler, ['types.ts'], { cwd: path.join(folder, type), modules, skipLibCheck: true, flags })
}

/** Runs the compiled tests, in one process, and gives how many passed. Throws what they printed when one did not. */
async function runTests(folder, type, version, names) {
  const all = path.join(folder, type, 'built', 'all.js')
  const load = type === 'module' ? (name) => `import './${name}.js'` : (name) => `require('./${name}.js')`
  fs.writeFileSync(all, `${names.map(load).join('\n')}\n`)
  const env = { ...process.env, QUORLOCK_TEST_SUPPORT: support, QUORLOCK_TEST_NEST: String(version) }
  delete env.NODE_TEST_CONTEXT // it is no test of ours to node, but a program
  const args = ['--test-reporter=tap', all]
  const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk
    })
  }
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`Nest ${version}, ${type}: ended with ${code}\n${output}`)
  return Number(output.match(/^# pass (\d+)$/m)?.[1] ?? 0)
}

module.exports = { consumerOf, compile, compileTypes, applications, runTests, sources }
