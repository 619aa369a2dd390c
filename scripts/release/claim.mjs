// Prepares a release from the addons that were built *and* tested on their own platforms: what did not arrive is not
// claimed. `node scripts/release/claim.mjs <folder with the .node files>`, in the publishing job only: it rewrites
// package.json. The addon of Linux x64 with glibc goes into the package itself, each other one into a package of its
// own, an optional dependency; npm/napi.json lists those for the napi CLI.

import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../support/addon.mjs'

const targetOf = {
  'linux-x64-gnu': 'x86_64-unknown-linux-gnu',
  'linux-x64-musl': 'x86_64-unknown-linux-musl',
  'linux-arm64-gnu': 'aarch64-unknown-linux-gnu',
  'linux-arm64-musl': 'aarch64-unknown-linux-musl',
  'darwin-x64': 'x86_64-apple-darwin',
  'darwin-arm64': 'aarch64-apple-darwin',
  'win32-x64-msvc': 'x86_64-pc-windows-msvc',
}
const inPackage = 'linux-x64-gnu'

const [folder] = process.argv.slice(2)
if (!folder) throw new Error('name the folder that holds the tested addons')

const platforms = readdirSync(folder)
  .map((name) => name.match(/^quorlock\.([\w-]+)\.node$/)?.[1])
  .filter((name) => name !== undefined)
  .sort()
for (const name of platforms) if (!targetOf[name]) throw new Error(`no target is known for ${name}`)
if (!platforms.includes(inPackage)) throw new Error(`${inPackage} is missing: the package cannot go without it`)

mkdirSync(join(root, 'native'), { recursive: true })
renameSync(join(folder, `quorlock.${inPackage}.node`), join(root, 'native', `quorlock.${inPackage}.node`))

const manifestPath = join(root, 'package.json')
const manifest = JSON.parse(readFileSync(manifestPath, 'utf8'))
manifest.napi.targets = platforms.map((name) => targetOf[name])
// Provenance is refused unless the package names the repository it was built from.
const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository } = process.env
if (repository) manifest.repository = { type: 'git', url: `git+${server}/${repository}.git` }
write(manifestPath, manifest)

mkdirSync(join(root, 'npm'), { recursive: true })
write(join(root, 'npm', 'napi.json'), {
  binaryName: manifest.napi.binaryName,
  packageName: manifest.napi.packageName,
  targets: platforms.filter((name) => name !== inPackage).map((name) => targetOf[name]),
})
console.log(`claimed: ${platforms.join(', ')}`)

function write(path, value) {
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`)
}
