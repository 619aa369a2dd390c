// Where a server's programs are: on the PATH, or where distributions put what they keep off it.

import { accessSync, constants, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const DEBIAN_POSTGRES = '/usr/lib/postgresql'

/** The path of the program, the newest version where there are several, or null. */
export function findProgram(name) {
  return (
    folders()
      .map((folder) => join(folder, name))
      .find(isExecutable) ?? null
  )
}

function folders() {
  const path = (process.env.PATH ?? '').split(delimiter).filter(Boolean)
  return [...path, '/usr/sbin', '/usr/local/sbin', ...postgresFolders()]
}

/** Debian keeps the server's programs of each major version in a folder of its own. */
function postgresFolders() {
  try {
    const versions = readdirSync(DEBIAN_POSTGRES).sort((a, b) => Number(b) - Number(a))
    return versions.map((version) => join(DEBIAN_POSTGRES, version, 'bin'))
  } catch (error) {
    if (error.code === 'ENOENT') return []
    throw error
  }
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
