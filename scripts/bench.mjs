// `npm run bench`: the benchmark installs its own dependencies and starts its own servers.

import { startWithAddon } from './support/start.mjs'

await startWithAddon('benches/bench.mjs')
