'use strict'

// The package as npm would publish it, and consumers that have it installed.

const { execFileSync, spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')

const root = path.join(__dirname, '..', '..')
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'

/** Packs into a temporary folder: `{ tarball, files: [{ path, size }] }`. */
function pack() {
  const folder = temporaryFolder('pack')
  // Scripts are left out: prepack would build, and these tests are about what has been built.
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder]
  const [{ filename, files }] = JSON.parse(execFileSync(npm, args, { cwd: root, encoding: 'utf8', stdio: 'pipe' }))
  return { tarball: path.join(folder, filename), files }
}

/** An empty project with the tarball installed, offline: the package has no dependencies. */
function install(tarball) {
  const folder = temporaryFolder('consumer')
  fs.writeFileSync(path.join(folder, 'package.json'), '{ "name": "consumer", "version": "1.0.0", "private": true }\n')
  const args = ['install', '--offline', '--no-audit', '--no-fund', '--loglevel=error', tarball]
  execFileSync(npm, args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' })
  return folder
}

function installed() {
  return install(pack().tarball)
}

/** Runs node in `cwd` and returns what it printed; throws with stderr when it fails. */
function node(cwd, ...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`)
  return stdout.trim()
}

/** Removed when this process, one test file, ends. */
function temporaryFolder(name) {
  // realpath: a link in the path of the temporary folder would make two names of one module
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), `quorlock-${name}-`)))
  process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }))
  return folder
}

module.exports = { root, pack, install, installed, node }
