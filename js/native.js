'use strict'

// Finds and loads the addon: the file built in place, or the package of this platform. The `require`s are literal so
// that bundlers and tracers can see them. The only file that knows where native code lives.

const CODE = 'ERR_QUORLOCK_NATIVE_LOAD'

const PLACES = {
  'darwin-arm64': [() => require('../native/quorlock.darwin-arm64.node'), () => require('quorlock-darwin-arm64')],
  'darwin-x64': [() => require('../native/quorlock.darwin-x64.node'), () => require('quorlock-darwin-x64')],
  'linux-arm64-gnu': [
    () => require('../native/quorlock.linux-arm64-gnu.node'),
    () => require('quorlock-linux-arm64-gnu'),
  ],
  'linux-arm64-musl': [
    () => require('../native/quorlock.linux-arm64-musl.node'),
    () => require('quorlock-linux-arm64-musl'),
  ],
  'linux-x64-gnu': [() => require('../native/quorlock.linux-x64-gnu.node'), () => require('quorlock-linux-x64-gnu')],
  'linux-x64-musl': [() => require('../native/quorlock.linux-x64-musl.node'), () => require('quorlock-linux-x64-musl')],
  'win32-x64': [() => require('../native/quorlock.win32-x64.node'), () => require('quorlock-win32-x64')],
}

// What package.json says is built, in Rust's names, and what we call it.
const TARGETS = {
  'aarch64-apple-darwin': 'darwin-arm64',
  'x86_64-apple-darwin': 'darwin-x64',
  'aarch64-unknown-linux-gnu': 'linux-arm64-gnu',
  'aarch64-unknown-linux-musl': 'linux-arm64-musl',
  'x86_64-unknown-linux-gnu': 'linux-x64-gnu',
  'x86_64-unknown-linux-musl': 'linux-x64-musl',
  'x86_64-pc-windows-msvc': 'win32-x64',
}

const CAUSES = `Usual causes:
- the lock file was made on another operating system, so that npm left the binary out: delete node_modules and the lock file and install again, or install with --os, --cpu and --libc of the target;
- it was installed with --omit=optional;
- a bundler moved the JavaScript without the .node file: mark quorlock as external;
- node_modules was copied between glibc (Debian, Ubuntu) and musl (Alpine): install where it runs;
- the glibc of the system is older than the one the binary was built for.`

let loaded = null

function loadNative() {
  loaded ??= load(process.platform, process.arch, detectLibc(), PLACES)
  return loaded
}

/** @param {'gnu' | 'musl' | ''} libc */
function load(platform, arch, libc, places) {
  const target = [platform, arch, ...(libc === '' ? [] : [libc])].join('-')
  const failures = []
  for (const attempt of places[target] ?? []) {
    try {
      return attempt()
    } catch (error) {
      failures.push(error)
    }
  }
  throw loadError(target, { platform, arch, libc }, failures)
}

function loadError(target, { platform, arch, libc }, failures) {
  const supported = supportedTargets()
  const parts = [`platform ${platform}`, `architecture ${arch}`, `Node ${process.version}`]
  if (libc !== '') parts.splice(2, 0, `libc ${libc === 'gnu' ? 'glibc' : libc}`)
  const lines = [`quorlock could not load its native file for ${target} (${parts.join(', ')}).`]
  if (!supported.includes(target)) lines.push('No binary is built for this platform.')
  lines.push(`Supported: ${supported.join(', ')}.`, CAUSES)
  for (const failure of failures) lines.push(`Tried: ${firstLine(failure)}`)
  const error = new Error(lines.join('\n'), failures.length > 0 ? { cause: chain(failures) } : undefined)
  error.code = CODE
  return error
}

/** A bundle may have no package.json: then all we know of. */
function supportedTargets() {
  try {
    return require('../package.json').napi.targets.map((target) => TARGETS[target] ?? target)
  } catch {
    return Object.values(TARGETS)
  }
}

/** The failures as one chain of causes, the first attempt outermost. */
function chain(failures) {
  const [first, ...rest] = failures
  if (rest.length === 0) return first
  return new Error(firstLine(first), { cause: chain(rest) })
}

const firstLine = (error) => String(error?.message ?? error).split('\n', 1)[0]

/** 'gnu' or 'musl' on Linux, '' elsewhere. Node's own report names the glibc it runs on; musl has no such field. */
function detectLibc() {
  if (process.platform !== 'linux') return ''
  const { report } = process
  if (report === undefined) return 'gnu'
  const before = report.excludeNetwork
  report.excludeNetwork = true // else the report may resolve names of peers, which takes time
  try {
    const made = report.getReport()
    const { header } = typeof made === 'string' ? JSON.parse(made) : made
    return header.glibcVersionRuntime === undefined ? 'musl' : 'gnu'
  } finally {
    report.excludeNetwork = before
  }
}

module.exports = { loadNative, load }
