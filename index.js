'use strict'

// The entry. The native file is loaded here, so that a missing one is told at once and not at the first lock.

require('./js/native').loadNative()

const errors = require('./js/errors')
const { currentLock } = require('./js/reentrancy')
const { Redlock } = require('./js/redlock')

exports.Redlock = Redlock
exports.currentLock = currentLock
exports.LockError = errors.LockError
exports.LockContendedError = errors.LockContendedError
exports.QuorumUnavailableError = errors.QuorumUnavailableError
exports.LockLostError = errors.LockLostError
exports.RedlockClosedError = errors.RedlockClosedError
exports.isLockError = errors.isLockError
