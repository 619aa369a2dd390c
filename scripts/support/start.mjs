// Starts a program of this repository that needs the built addon, from a fresh clone as well as from a built one.

import { addonPath, isAddonFresh } from './addon.mjs'
import { runCommand } from './command.mjs'
import { ensureCompiler, ensureNode, ensurePackages, ensureRust } from './prepare.mjs'
import { StageError } from './stages.mjs'

/**
 * `script` gets this process's arguments and terminal; its exit code becomes ours. `prepare` sees to what else it needs.
 */
export async function startWithAddon(script, prepare) {
  try {
    ensureNode()
    if (!isAddonFresh()) await build()
    await prepare?.()
  } catch (error) {
    if (!(error instanceof StageError)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exitCode = 1
    return
  }
  const { code } = await runCommand(process.execPath, [script, ...process.argv.slice(2)], { stream: true })
  process.exitCode = code
}

async function build() {
  process.stderr.write('Building the addon; the first time takes a few minutes.\n')
  await ensureRust()
  await ensureCompiler()
  await ensurePackages('.', { stream: true })
  const { code } = await runCommand(process.execPath, ['scripts/build.mjs'], { stream: true })
  if (code !== 0) throw new StageError(`The build failed; ${addonPath()} is missing or old.`)
}
