// `npm run example:fenced-stores`, from a fresh clone: installs the clients, and the servers where it can.

import { parseArgs } from 'node:util'
import { ensureMariadb, ensurePackages, ensurePostgres, ensureRedis } from './support/prepare.mjs'
import { startWithAddon } from './support/start.mjs'

const folder = 'examples/fenced-stores'
const servers = { postgres: ensurePostgres, mariadb: ensureMariadb }

// The example itself complains of what it does not know.
const { values: options } = parseArgs({
  options: {
    store: { type: 'string', multiple: true, default: Object.keys(servers) },
    url: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
  strict: false,
})

await startWithAddon(`${folder}/main.mjs`, async () => {
  await ensurePackages(folder, { stream: true })
  if (options.help) return
  await ensureRedis()
  if (options.url) return
  for (const [name, ensure] of Object.entries(servers)) {
    if (options.store.includes(name)) await ensure()
  }
})
