// `npm run demo`: the flash sale, from a fresh clone.

import { startWithAddon } from './support/start.mjs'

await startWithAddon('examples/flash-sale-demo/main.mjs')
