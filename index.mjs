// The ESM face: the same objects as `require('quorlock')` gives, under the same names.

import quorlock from './index.js'

export const {
  Redlock,
  LockError,
  LockContendedError,
  QuorumUnavailableError,
  LockLostError,
  RedlockClosedError,
  isLockError,
} = quorlock
