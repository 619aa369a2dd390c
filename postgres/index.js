'use strict'

// `quorlock/postgres`. Loads neither pg, which the user's pool comes from, nor the native addon.

exports.PostgresLockProvider = require('../js/postgres/provider').PostgresLockProvider
