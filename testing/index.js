'use strict'

// The entry `quorlock/testing`. The native file is loaded here, so that a missing one is told at once.

require('../js/native').loadNative()

exports.TestRedlock = require('../js/testing/test-redlock').TestRedlock
