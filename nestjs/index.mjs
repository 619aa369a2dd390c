// The entry for ESM applications: the same objects as `require('quorlock/nestjs')` gives.

import entry from '../js/nestjs/entry.js'

export const { RedlockModule, RedlockService, InjectRedlock, getRedlockToken, WithLock, RedlockExceptionFilter } =
  entry.load()
