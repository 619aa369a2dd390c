// The ESM face: the same objects as `require('quorlock')` gives, under the same names. It does not import index.js,
// because what a CommonJS file throws while it is imported ends the process in Node 20, whoever catches it.

import errors from './js/errors.js'
import native from './js/native.js'
import redlock from './js/redlock.js'
import reentrancy from './js/reentrancy.js'

native.loadNative()

export const { Redlock } = redlock

export const { currentLock } = reentrancy

export const { LockError, LockContendedError, QuorumUnavailableError, LockLostError, RedlockClosedError, isLockError } =
  errors
