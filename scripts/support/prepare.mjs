// What a fresh clone needs before it can build and test. Each step returns at once when there is nothing to do.
// Only Node's own modules here: this runs before anything is installed.

import { existsSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { root } from './addon.mjs'
import { runCommand } from './command.mjs'
import { findProgram } from './programs.mjs'
import { StageError } from './stages.mjs'

const oldest = {
  node: [20, 19],
  cargo: [1, 95],
  redis: [6, 2],
  postgres: [12, 0],
  mariadb: [10, 6],
  pgbouncer: [1, 12],
}
const services = new Set(['redis-server', 'postgresql', 'pgbouncer'])
const installLimitMs = 15 * 60_000

export function ensureNode() {
  if (isOlder(process.versions.node, oldest.node)) {
    throw new StageError(`Node.js ${process.versions.node} is too old: quorlock needs 20.19 or later.`)
  }
}

/**
 * The toolchain is pinned by `rust-version` in Cargo.toml and by this check, not by a rust-toolchain file: rustup
 * would try to download the named channel even where the same version is installed under another name.
 */
export async function ensureRust() {
  // rustup installs here, and a shell that was open before does not know it yet
  const cargoBin = join(homedir(), '.cargo', 'bin')
  if (existsSync(cargoBin)) process.env.PATH += delimiter + cargoBin

  const cargo = await version('cargo', ['--version'])
  if (!cargo) throw new StageError('cargo was not found. Install Rust 1.95 or later: https://rustup.rs')
  if (isOlder(cargo, oldest.cargo)) {
    throw new StageError(`cargo ${cargo} is too old: run "rustup update stable" for Rust 1.95 or later.`)
  }
}

export async function ensureRustLints() {
  for (const [tool, component] of [
    ['cargo-fmt', 'rustfmt'],
    ['cargo-clippy', 'clippy'],
  ]) {
    if (await version(tool, ['--version'])) continue
    const added = await runCommand('rustup', ['component', 'add', component], { timeoutMs: installLimitMs })
    if (added.code !== 0) throw new StageError(`${component} is missing: run "rustup component add ${component}".`)
  }
}

/** Rust links with the C compiler's driver, and the crate `ring` compiles C. */
export async function ensureCompiler() {
  if (await version('cc', ['--version'])) return
  await installDebian(['gcc', 'libc6-dev'], 'a C compiler')
}

/** The TLS tests make their certificates with it. */
export async function ensureOpenssl() {
  if (await version('openssl', ['version'])) return
  await installDebian(['openssl'], 'openssl')
}

export async function ensureRedis() {
  let found = await version('redis-server', ['--version'])
  if (!found) {
    await installDebian(['redis-server'], 'redis-server')
    found = await version('redis-server', ['--version'])
  }
  if (!found || isOlder(found, oldest.redis)) {
    throw new StageError(`redis-server ${found ?? ''} is too old: the tests need 6.2 or later on the PATH.`)
  }
}

/** Both programs come with the server: one makes an empty database, the other serves it. */
export async function ensurePostgres() {
  await ensureServer('postgres', ['postgres', 'initdb'], ['postgresql'], 'PostgreSQL 12')
}

export async function ensurePgbouncer() {
  await ensureServer('pgbouncer', ['pgbouncer'], ['pgbouncer'], 'PgBouncer 1.12')
}

/** Without `mariadb-server`, which adds a service, an account and a database: the program is all that is used. */
export async function ensureMariadb() {
  if (!findProgram('mariadbd')) refuseBesideMysql()
  await ensureServer('mariadb', ['mariadbd'], ['mariadb-server-core'], 'MariaDB 10.6')
}

/**
 * Distributions let one of the two be installed, and MariaDB's package has /etc/mysql/my.cnf stand for its own settings.
 * A `mysqld` beside a `mariadbd` is another name of that.
 */
function refuseBesideMysql() {
  const mysqld = findProgram('mysqld')
  if (!mysqld) return
  throw new StageError(
    `MariaDB 10.6 is needed and was not found, and beside ${mysqld} it is not installed from here: that may replace it.\n` +
      '  Put the folder of a mariadbd on the PATH (that of an archive from mariadb.org will do), or do without:\n' +
      '  only `npm run test:recipes` and its example need it; CONTRIBUTING.md has the commands for everything else.',
  )
}

async function ensureServer(name, programs, packages, what) {
  if (!programs.every(findProgram)) await installDebian(packages, what)
  const missing = programs.find((program) => !findProgram(program))
  if (missing) throw new StageError(`${missing} was not found, though ${packages.join(' ')} is installed.`)
  const found = await version(findProgram(programs[0]), ['--version'])
  if (!found || isOlder(found, oldest[name])) {
    throw new StageError(`${programs[0]} ${found ?? ''} is too old: ${what} or later is needed.`)
  }
}

/** Two of the tests look at pages. Where it cannot be installed from here they are skipped, and say so. */
export async function ensureChromium() {
  if (['chromium', 'chromium-browser', 'google-chrome'].some(findProgram)) return
  const hasApt = (await runCommand('apt-get', ['--version'])).code === 0
  if (hasApt && process.getuid?.() === 0) await installDebian(['chromium'], 'Chromium')
}

/** `npm ci` in `folder`, unless what is installed there is newer than its lock file. */
export async function ensurePackages(folder = '.', { stream = false } = {}) {
  const installed = statSync(join(root, folder, 'node_modules', '.package-lock.json'), { throwIfNoEntry: false })
  const wanted = statSync(join(root, folder, 'package-lock.json'))
  if (installed && installed.mtimeMs >= wanted.mtimeMs) return
  await must('npm', ['ci', '--prefix', folder, '--no-audit', '--no-fund'], { stream })
}

async function installDebian(packages, what) {
  const names = packages.join(' ')
  const hasApt = (await runCommand('apt-get', ['--version'])).code === 0
  if (!hasApt || process.getuid?.() !== 0) {
    throw new StageError(
      `${what} is needed and was not found.\n` +
        `  Debian, Ubuntu:  sudo apt-get install ${names}\n` +
        '  elsewhere:       install it with your package manager and run this again',
    )
  }
  await withoutServices(async () => {
    const env = { DEBIAN_FRONTEND: 'noninteractive' }
    await must('apt-get', ['update', '-q'], { env })
    // Whatever is installed stays: where something would have to go, nothing is done, and apt-get says what it was.
    await must('apt-get', ['install', '-y', '-q', '--no-install-recommends', '--no-remove', ...packages], { env })
  })
  // These enable their service for the next boot. The tests start servers of their own.
  for (const service of packages.filter((name) => services.has(name))) {
    await runCommand('update-rc.d', [service, 'disable'])
    await runCommand('systemctl', ['disable', service])
  }
}

/** Debian asks /usr/sbin/policy-rc.d before it starts a service of a package just installed; 101 means no. */
async function withoutServices(install) {
  const policy = '/usr/sbin/policy-rc.d'
  const ours = !existsSync(policy)
  if (ours) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    await install()
  } finally {
    if (ours) unlinkSync(policy)
  }
}

async function must(program, args, options) {
  const { code, output, timedOut } = await runCommand(program, args, { timeoutMs: installLimitMs, ...options })
  if (code !== 0 || timedOut) throw new StageError(`${program} ${args.join(' ')} failed\n${output}`)
}

/** The first x.y or x.y.z a program prints, or null where it cannot be run. */
async function version(program, args) {
  const { code, output } = await runCommand(program, args)
  return code === 0 ? (output.match(/\d+\.\d+(\.\d+)?/)?.[0] ?? null) : null
}

function isOlder(found, [major, minor]) {
  const [foundMajor, foundMinor] = found.split('.').map(Number)
  return foundMajor < major || (foundMajor === major && foundMinor < minor)
}
