// Installs what examples/flash-sale needs, and builds it: for its tests, beside a built addon.

import { buildFlashSale, flashSaleFolder } from './support/flash-sale.mjs'
import { ensurePackages } from './support/prepare.mjs'

await ensurePackages(flashSaleFolder)
await buildFlashSale()
