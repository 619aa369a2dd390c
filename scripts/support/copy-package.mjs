// Puts this package into a folder's node_modules as an installation from the registry would: a copy of what package.json
// ships. A link would not do, since whoever is linked looks for its peers beside its real path.

import { cpSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './addon.mjs'

export function copyPackage(folder) {
  const { name, files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const target = join(root, folder, 'node_modules', name)
  const copy = `${target}.${process.pid}`
  mkdirSync(copy, { recursive: true })
  for (const entry of new Set(['package.json', ...files.map((pattern) => pattern.split('/')[0])])) {
    cpSync(join(root, entry), join(copy, entry), { recursive: true, preserveTimestamps: true })
  }
  rmSync(target, { recursive: true, force: true })
  renameSync(copy, target)
}
