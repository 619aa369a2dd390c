// The committed lock files: complete for every platform, without the address of a registry. And package.json: nothing
// that runs at install or is needed at run time, one version everywhere.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './support/addon.mjs'

const complaints = []

const peers = ['__test__/peers', '__test__/peers/nest-10', '__test__/peers/nest-11', '__test__/peers/nest-12']
const examples = ['examples/fenced-stores', 'examples/flash-sale']

for (const folder of ['.', 'benches', ...peers, '__test__/metrics', ...examples]) {
  const path = join(folder, 'package-lock.json')
  const text = readFileSync(join(root, path), 'utf8')
  if (text.includes('"resolved"')) {
    complaints.push(`${path} names a registry: remove it and run "npm install" again (.npmrc leaves addresses out)`)
  }
  // npm leaves out what the registry did not have at that moment, and `npm ci` elsewhere then misses it
  const { packages } = JSON.parse(text)
  for (const [name, { optionalDependencies = {} }] of Object.entries(packages)) {
    const missing = Object.keys(optionalDependencies).filter((dependency) => !packages[`node_modules/${dependency}`])
    if (missing.length > 0) complaints.push(`${path} lacks ${missing.join(', ')}, of ${name}`)
  }
}

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
if (Object.keys(manifest.dependencies ?? {}).length > 0) complaints.push('package.json has runtime dependencies')
for (const name of ['preinstall', 'install', 'postinstall', 'prepare']) {
  if (manifest.scripts[name]) complaints.push(`package.json has an install script: ${name}`)
}

const crate = readFileSync(join(root, 'Cargo.toml'), 'utf8').match(/^version = "(.+)"$/m)?.[1]
const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).version
for (const [path, version] of [
  ['Cargo.toml', crate],
  ['package-lock.json', lock],
]) {
  if (version !== manifest.version) complaints.push(`${path} is ${version}, package.json is ${manifest.version}`)
}

for (const complaint of complaints) console.log(complaint)
process.exitCode = complaints.length > 0 ? 1 : 0
