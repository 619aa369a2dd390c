// Installs the peers where one that package.json names is missing.

import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const HERE = new URL('.', import.meta.url)

// One peer declares Node >= 22 and runs on 20 all the same, so engines must not stop the installation.
export function installPeers() {
  const { dependencies } = JSON.parse(readFileSync(new URL('package.json', HERE), 'utf8'))
  if (Object.keys(dependencies).every((name) => existsSync(new URL(`node_modules/${name}`, HERE)))) return
  console.log('installing the peers (npm ci in benches/)')
  execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--engine-strict=false'], {
    cwd: fileURLToPath(HERE),
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
}
