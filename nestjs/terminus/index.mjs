// The entry for ESM applications: the same class as `require('quorlock/nestjs/terminus')` gives.

import terminus from '../../js/nestjs/terminus.js'

export const { RedlockHealthIndicator } = terminus.load()
