import { openService } from './quorlock-service.mjs'

export function open({ nodes, ttl }) {
  return openService(nodes, (redlock, options) => (key) => ({
    section: (_slot, work) => redlock.withLock(key, ttl, work ?? nothing, options),
  }))
}

function nothing() {}
