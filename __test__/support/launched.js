'use strict'

// A program that starts servers and other processes, run with a folder of its own for everything temporary: by that folder
// they are all found again, whoever started them.

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const assert = require('node:assert/strict')
const { Child } = require('./child')
const { until } = require('./until')

/** @param {string} main the program's file */
function launch(t, main, ...args) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'quorlock-launched-'))
  fs.chmodSync(folder, 0o711) // databases do not run as root
  const child = new Child(main, { args, env: { TMPDIR: folder } })
  t.after(async () => {
    await child.stop()
    fs.rmSync(folder, { recursive: true, force: true })
  })
  return { child, folder }
}

/** The processes that have been given this folder: servers, applications, whatever they have started. */
function processesOf(folder) {
  return fs.readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && fs.readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`TMPDIR=${folder}\0`)
    } catch {
      return false // gone by now, or somebody else's
    }
  })
}

async function nothingIsLeft(folder) {
  await until(() => processesOf(folder).length === 0, { what: 'no process is left' })
  assert.deepEqual(fs.readdirSync(folder), [])
}

module.exports = { launch, processesOf, nothingIsLeft }
