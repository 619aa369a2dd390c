// The ESM face: the same class as `require('quorlock/postgres')` gives.

import provider from '../js/postgres/provider.js'

export const { PostgresLockProvider } = provider
