// Builds examples/flash-sale: this package into its node_modules, TypeScript into its dist.

import { join } from 'node:path'
import { runCommand } from './command.mjs'
import { copyPackage } from './copy-package.mjs'
import { StageError } from './stages.mjs'

export const flashSaleFolder = 'examples/flash-sale'

/** The servers of this machine that the example starts: those that the environment does not name. */
export function ownServers(env) {
  const servers = []
  if (!env.QUEUE_URL || !env.QUORLOCK_NODES) servers.push('redis')
  if (!env.DATABASE_URL) servers.push('postgres')
  return servers
}

export async function buildFlashSale() {
  copyPackage(flashSaleFolder)
  const tsc = join(flashSaleFolder, 'node_modules', 'typescript', 'bin', 'tsc')
  const { code, output } = await runCommand(process.execPath, [tsc, '-p', flashSaleFolder])
  if (code !== 0) throw new StageError(`The build of ${flashSaleFolder} failed:\n${output}`)
}
