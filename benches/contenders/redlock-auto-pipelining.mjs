// The same library, with ioredis gathering the commands of one event loop turn into one pipeline per node.

import { open as openPlain } from './redlock.mjs'

export function open(setup) {
  return openPlain(setup, { enableAutoPipelining: true })
}
