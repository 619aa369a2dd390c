// The built addon: where it is, how large it may be, whether it is newer than what it is made of.

import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../', import.meta.url))

/** Budget of the stripped addon. A debug build is several times larger. */
export const sizeLimitBytes = 4 * 1024 * 1024

const sources = ['src', 'build.rs', 'Cargo.toml', 'Cargo.lock']

/** As the napi CLI names it: linux-x64-gnu, linux-arm64-musl, darwin-arm64, win32-x64-msvc. */
export function platformName() {
  const { platform, arch } = process
  if (platform === 'linux') {
    const glibc = process.report.getReport().header.glibcVersionRuntime
    return `linux-${arch}-${glibc ? 'gnu' : 'musl'}`
  }
  return platform === 'win32' ? `win32-${arch}-msvc` : `${platform}-${arch}`
}

export function addonPath() {
  return join(root, 'native', `quorlock.${platformName()}.node`)
}

/** A release build that is newer than every source: nothing to do. */
export function isAddonFresh() {
  const addon = statSync(addonPath(), { throwIfNoEntry: false })
  if (!addon || addon.size >= sizeLimitBytes) return false
  return sources.every((name) => newestMs(join(root, name)) <= addon.mtimeMs)
}

function newestMs(path) {
  const stat = statSync(path, { throwIfNoEntry: false })
  // A missing source (a first build has no Cargo.lock) makes the addon stale.
  if (!stat) return Number.POSITIVE_INFINITY
  if (!stat.isDirectory()) return stat.mtimeMs
  // The folder itself counts too: a deleted file changes only its folder.
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newestMs(join(path, name))))
}
