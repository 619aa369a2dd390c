// Where and with what a run was made.

import { readFileSync } from 'node:fs'
import { cpus, loadavg, release, type } from 'node:os'
import { redisVersion } from './servers.mjs'

const PEERS = ['redlock', 'redis-semaphore', 'redlock-universal', 'ioredis', 'async-mutex']

export function describeMachine() {
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: cpus()[0].model.trim(),
    cores: cpus().length,
    load: loadavg()[0],
    kernel: `${type()} ${release()}`,
    node: process.version,
    redis: redisVersion(),
    versions: {
      quorlock: versionIn('../package.json'),
      ...Object.fromEntries(PEERS.map((name) => [name, versionIn(`./node_modules/${name}/package.json`)])),
    },
  }
}

function versionIn(path) {
  const { version } = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'))
  return version.replace(/^v/, '')
}
