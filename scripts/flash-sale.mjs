// `npm run example:flash-sale`, from a fresh clone: installs what the service needs, and the servers where it can.

import { parseArgs } from 'node:util'
import { buildFlashSale, flashSaleFolder, ownServers } from './support/flash-sale.mjs'
import { ensurePackages, ensurePostgres, ensureRedis } from './support/prepare.mjs'
import { startWithAddon } from './support/start.mjs'

// The example itself complains of what it does not know.
const { values: options } = parseArgs({ options: { help: { type: 'boolean', short: 'h' } }, strict: false })

await startWithAddon(`${flashSaleFolder}/run/main.mjs`, async () => {
  if (options.help) return
  await ensurePackages(flashSaleFolder, { stream: true })
  await buildFlashSale()
  const ensure = { redis: ensureRedis, postgres: ensurePostgres }
  for (const server of ownServers(process.env)) await ensure[server]()
})
