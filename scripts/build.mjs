// Builds the addon into native/. `--debug` for an unoptimised one, `--if-stale` to do nothing when the release build
// is newer than its sources; every other word (`--target x`, `--use-napi-cross`, `--cross-compile`) goes to the CLI.

import { isAddonFresh } from './support/addon.mjs'
import { runCommand } from './support/command.mjs'

const words = process.argv.slice(2)
const debug = words.includes('--debug')
const passed = words.filter((word) => word !== '--debug' && word !== '--if-stale')

if (!words.includes('--if-stale') || !isAddonFresh()) {
  const args = [
    'build',
    '--platform',
    '--output-dir=native',
    // No generated loader: index.js is the only way in, so nobody can come to depend on the private binding, and the
    // error for a missing file is ours.
    '--no-js',
    // The types of the private binding help while one works on js/; they are not shipped and not committed.
    '--dts=binding.d.ts',
    ...(debug ? [] : ['--release', '--strip']),
    ...passed,
    // In CI a Cargo.lock that does not fit Cargo.toml is an error; elsewhere cargo brings it up to date.
    ...(process.env.CI ? ['--', '--locked'] : []),
  ]
  const { code, output } = await runCommand('npx', ['--no-install', 'napi', ...args], { stream: true })
  if (code === 127) process.stderr.write(`${output}Run "npm ci" first.\n`)
  process.exitCode = code
}
